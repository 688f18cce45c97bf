"""Who may use the endpoints of people. A person reaches only what is their own: the queries take their id."""

from collections.abc import Mapping

from common.access_policy import AccessPolicy, allow, anyone

_SIGN_IN = anyone("sign_in")
_READ_OWN = allow("shopper", traffic="read")
_WRITE_OWN = allow("shopper", traffic="write")
_CONFIRM = allow("shopper", traffic="sign_in")
_ADMIN_READ = allow("admin", traffic="read")
_ADMIN_WRITE = allow("admin", traffic="write")
_PLATFORM = allow("platform", traffic="operations")
_PLATFORM_SECRET = allow("platform", traffic="operations", secret_response=True)

POLICIES: Mapping[str, AccessPolicy] = {
    "create_registration": _SIGN_IN,
    "create_verification": _SIGN_IN,
    "create_session": _SIGN_IN,
    "refresh_session": _SIGN_IN,
    "create_password_reset": _SIGN_IN,
    "confirm_password_reset": _SIGN_IN,
    "confirm_email_change": _SIGN_IN,
    "create_unsubscription": _SIGN_IN,
    "end_current_session": _WRITE_OWN,
    "show_me": _READ_OWN,
    "change_me": _WRITE_OWN,
    "set_my_password": _CONFIRM,
    "create_email_change": _CONFIRM,
    "list_my_sessions": _READ_OWN,
    "end_my_session": _WRITE_OWN,
    "show_my_recommendation_mails": _READ_OWN,
    "set_my_recommendation_mails": _WRITE_OWN,
    "list_my_followed_sellers": _READ_OWN,
    "follow_seller": _WRITE_OWN,
    "unfollow_seller": _WRITE_OWN,
    "list_my_addresses": _READ_OWN,
    "set_my_address": _WRITE_OWN,
    "delete_my_address": _WRITE_OWN,
    "export_me": _READ_OWN,
    "erase_me": _CONFIRM,
    "list_people": _ADMIN_READ,
    "show_person": _ADMIN_READ,
    "set_person_role": _ADMIN_WRITE,
    "suspend_person": _ADMIN_WRITE,
    "end_person_suspension": _ADMIN_WRITE,
    "create_person": _PLATFORM_SECRET,
    "show_person_rights": _PLATFORM,
    "find_person": _PLATFORM,
    "set_staff_role": _PLATFORM,
    "create_mail": _PLATFORM,
    "show_auth_state": _PLATFORM,
    "show_demo": _PLATFORM,
    "enable_demo_mode": _PLATFORM,
    "create_demo_session": _PLATFORM_SECRET,
    "summarise_mails": _PLATFORM,
    "list_mails": allow("admin", "platform", traffic="operations"),
}
