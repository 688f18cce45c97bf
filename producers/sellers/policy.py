"""Who may use the endpoints of sellers. Staff reach their own seller only; administrators reach all."""

from collections.abc import Mapping
from dataclasses import replace

from common.access_policy import AccessPolicy, allow
from common.principal import Role
from producers.sellers.model import STAFF_MANAGERS

PEOPLE: tuple[Role, ...] = ("shopper", "seller", "analyst", "admin")
SELLER = "seller_id"

KEEPERS = allow("seller", "admin", traffic="write", staff=STAFF_MANAGERS, seller_parameter=SELLER)

COSTS_READERS = allow(
    "seller",
    "admin",
    traffic="read",
    staff=(*STAFF_MANAGERS, "analyst"),
    seller_parameter=SELLER,
    scope="costs:read",
)

POLICIES: Mapping[str, AccessPolicy] = {
    "apply": allow(*PEOPLE, traffic="write"),
    "show_mine": allow(*PEOPLE, traffic="read"),
    "list_applications": allow("admin", traffic="read"),
    "approve": allow("admin", traffic="write"),
    "refuse": allow("admin", traffic="write"),
    "suspend": allow("admin", traffic="write"),
    "reinstate": allow("admin", traffic="write"),
    "list_suspensions": allow("platform", traffic="operations"),
    "forget_person": allow("platform", traffic="operations"),
    "show_profile": allow(
        "seller", "admin", "platform", traffic="read", seller_parameter=SELLER, scope="profile:read"
    ),
    "change_profile": allow(
        "seller",
        "admin",
        traffic="write",
        staff=STAFF_MANAGERS,
        seller_parameter=SELLER,
        scope="profile:write",
    ),
    "list_staff": allow(
        "seller", "admin", traffic="read", staff=STAFF_MANAGERS, seller_parameter=SELLER, scope="staff:read"
    ),
    "create_invitation": allow(
        "seller", "admin", "platform", traffic="write", staff=STAFF_MANAGERS, seller_parameter=SELLER
    ),
    "withdraw_invitation": KEEPERS,
    "find_invitation": allow(*PEOPLE, traffic="read"),
    "accept_invitation": allow(*PEOPLE, traffic="write"),
    "refuse_invitation": allow(*PEOPLE, traffic="write"),
    "change_staff": KEEPERS,
    "remove_staff": allow("seller", "admin", traffic="write", seller_parameter=SELLER),  # everybody may leave
    "list_keys": allow("seller", "admin", traffic="read", staff=STAFF_MANAGERS, seller_parameter=SELLER),
    "create_key": replace(KEEPERS, secret_response=True),
    "revoke_key": KEEPERS,
    "verify_key": allow("platform", traffic="operations"),
    "show_commission": allow(
        "seller", "admin", traffic="read", seller_parameter=SELLER, scope="commission:read"
    ),
    "show_costs": COSTS_READERS,
    "download_costs": COSTS_READERS,
    "set_costs": allow(
        "seller",
        "admin",
        traffic="write",
        staff=STAFF_MANAGERS,
        seller_parameter=SELLER,
        scope="costs:write",
    ),
    "list_rules": allow("admin", traffic="read"),
    "add_rule": allow("admin", traffic="write"),
}
