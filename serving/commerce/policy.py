"""Who may use the routes of the commerce services. The services check the same, and who owns what.

`tests/contracts/test_forwarded_routes.py` compares these policies with those of the services.
"""

from collections.abc import Mapping

from common.access_policy import AccessPolicy, allow, anyone
from common.principal import Role, StaffRole

_STOCK_KEEPERS = allow(
    "seller",
    "admin",
    "platform",
    traffic="write",
    staff=("owner", "manager", "fulfilment"),
    scope="stock:write",
)

POLICIES: Mapping[str, AccessPolicy] = {
    "place_order": allow("guest", "shopper", "platform", traffic="checkout"),
    "own_orders": allow("guest", "shopper", traffic="read"),
    "order": allow("guest", "shopper", "admin", "platform", traffic="read"),
    "cancel_order": allow("guest", "shopper", "admin", "platform", traffic="write"),
    "stock": anyone("read"),
    "set_stock": _STOCK_KEEPERS,
    "set_stocks": _STOCK_KEEPERS,
}

_SIGN_IN = anyone("sign_in")
_READ_OWN = allow("shopper", traffic="read")
_WRITE_OWN = allow("shopper", traffic="write")
_WITH_PASSWORD = allow("shopper", traffic="sign_in")
_ADMIN_READ = allow("admin", traffic="read")
_ADMIN_WRITE = allow("admin", traffic="write")

IDENTITY: Mapping[str, AccessPolicy] = {
    "register": _SIGN_IN,
    "verify_email": _SIGN_IN,
    "sign_in": _SIGN_IN,
    "refresh": _SIGN_IN,
    "ask_for_password_reset": _SIGN_IN,
    "reset_password": _SIGN_IN,
    "confirm_email_change": _SIGN_IN,
    "sign_out": _WRITE_OWN,
    "me": _READ_OWN,
    "change_me": _WRITE_OWN,
    "change_password": _WITH_PASSWORD,
    "change_email": _WITH_PASSWORD,
    "my_sessions": _READ_OWN,
    "end_my_session": _WRITE_OWN,
    "my_addresses": _READ_OWN,
    "save_my_address": _WRITE_OWN,
    "delete_my_address": _WRITE_OWN,
    "export_me": _READ_OWN,
    "erase_me": _WITH_PASSWORD,
    "people": _ADMIN_READ,
    "person": _ADMIN_READ,
    "set_person_role": _ADMIN_WRITE,
    "suspend_person": _ADMIN_WRITE,
    "end_person_suspension": _ADMIN_WRITE,
    "mails": allow("admin", "platform", traffic="operations"),
}

_PEOPLE: tuple[Role, ...] = ("shopper", "seller", "analyst", "admin")
_SELLER = "seller_id"

STAFF_MANAGERS: tuple[StaffRole, ...] = ("owner", "manager")
"""Who may change a seller's profile, its staff and its API keys."""

_MANAGERS_READ = allow("seller", "admin", traffic="read", staff=STAFF_MANAGERS, seller_parameter=_SELLER)
_MANAGERS_WRITE = allow("seller", "admin", traffic="write", staff=STAFF_MANAGERS, seller_parameter=_SELLER)

SELLERS: Mapping[str, AccessPolicy] = {
    "apply_to_sell": allow(*_PEOPLE, traffic="write"),
    "my_applications": allow(*_PEOPLE, traffic="read"),
    "applications": _ADMIN_READ,
    "approve_application": _ADMIN_WRITE,
    "refuse_application": _ADMIN_WRITE,
    "suspend_seller": _ADMIN_WRITE,
    "reinstate_seller": _ADMIN_WRITE,
    "seller_profile": allow(
        "seller", "admin", "platform", traffic="read", seller_parameter=_SELLER, scope="profile:read"
    ),
    "change_seller_profile": allow(
        "seller",
        "admin",
        traffic="write",
        staff=STAFF_MANAGERS,
        seller_parameter=_SELLER,
        scope="profile:write",
    ),
    "staff": allow(
        "seller", "admin", traffic="read", staff=STAFF_MANAGERS, seller_parameter=_SELLER, scope="staff:read"
    ),
    "add_staff": allow(
        "seller", "admin", "platform", traffic="write", staff=STAFF_MANAGERS, seller_parameter=_SELLER
    ),
    "change_staff": _MANAGERS_WRITE,
    "remove_staff": allow("seller", "admin", traffic="write", seller_parameter=_SELLER),
    "api_keys": _MANAGERS_READ,
    "create_api_key": _MANAGERS_WRITE,
    "revoke_api_key": _MANAGERS_WRITE,
    "commission": allow("seller", "admin", traffic="read", seller_parameter=_SELLER, scope="commission:read"),
    "commission_rules": _ADMIN_READ,
    "add_commission_rule": _ADMIN_WRITE,
}

_SETTINGS_READ = allow("admin", "platform", traffic="read")
_SETTINGS_WRITE = allow("admin", "platform", traffic="write")

SETTINGS: Mapping[str, AccessPolicy] = {
    "settings": _SETTINGS_READ,
    "setting_history": _SETTINGS_READ,
    "change_setting": _SETTINGS_WRITE,
    "roll_back_setting": _SETTINGS_WRITE,
}
