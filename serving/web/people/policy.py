"""Who may open the pages of people."""

from collections.abc import Mapping

from common.access_policy import AccessPolicy, allow, anyone

_PAGE = anyone("page", refused_like="sign_in")
"""A page on the way to or from a session. It is limited as a page, and refused as late as the sign-in."""

_SIGN_IN = anyone("sign_in")
_ACCOUNT = allow("shopper", traffic="page")
_CHANGE = allow("shopper", traffic="write")
_CONFIRM = allow("shopper", traffic="sign_in")
"""Changes that need the password: guesses are limited as at the sign-in."""

POLICIES: Mapping[str, AccessPolicy] = {
    "sign_in_page": _PAGE,
    "sign_in": _SIGN_IN,
    "sign_up_page": _PAGE,
    "sign_up": _SIGN_IN,
    "verify_page": _PAGE,
    "verify": _SIGN_IN,
    "forgotten_page": _PAGE,
    "forgotten": _SIGN_IN,
    "reset_page": _PAGE,
    "reset": _SIGN_IN,
    "confirm_email_page": _PAGE,
    "confirm_email": _SIGN_IN,
    "unsubscribe_page": _PAGE,
    "unsubscribe": _SIGN_IN,
    "sign_out": _PAGE,
    "sign_out_after_refresh": _PAGE,
    "refresh_for_page": _SIGN_IN,
    "refresh_for_script": _SIGN_IN,
    "renew_for_form": _SIGN_IN,
    "me": _PAGE,
    "profile_page": _ACCOUNT,
    "change_profile": _CHANGE,
    "change_mails": _CHANGE,
    "account_orders": _ACCOUNT,
    "followed_page": _ACCOUNT,
    "follow_on_page": _CHANGE,
    "unfollow_on_page": _CHANGE,
    "addresses_page": _ACCOUNT,
    "save_address": _CHANGE,
    "delete_address": _CHANGE,
    "sessions_page": _ACCOUNT,
    "end_session": _CHANGE,
    "security_page": _ACCOUNT,
    "change_password": _CONFIRM,
    "change_email": _CONFIRM,
    "personal_data_page": _ACCOUNT,
    "export": _ACCOUNT,
    "invitation_page": _ACCOUNT,
    "accept_invitation": _CHANGE,
    "refuse_invitation": _CHANGE,
    "erase": _CONFIRM,
    # Only on loopback, and only while the demo is available: `look_as.py`.
    "look_as": _SIGN_IN,
    # Administrators, and everybody on loopback while the demo is available: `mailbox_pages.py`.
    "mailbox": anyone("operations"),
}
