"""Who may apply to sell, and who may open the settings and the costs of a seller."""

from collections.abc import Mapping

from common.access_policy import AccessPolicy, allow
from common.principal import Principal
from producers.services.sellers.model import STAFF_MANAGERS

_READ = allow("seller", "admin", traffic="page", staff=STAFF_MANAGERS, seller_parameter="seller_id")
_WRITE = allow("seller", "admin", traffic="write", staff=STAFF_MANAGERS, seller_parameter="seller_id")

POLICIES: Mapping[str, AccessPolicy] = {
    "application": allow("shopper", "seller", "analyst", "admin", traffic="page"),
    "send_application": allow("shopper", "seller", "analyst", "admin", traffic="write"),
    "settings": _READ,
    "costs_page": allow(
        "seller", "admin", traffic="page", staff=(*STAFF_MANAGERS, "analyst"), seller_parameter="seller_id"
    ),
    "save_cost": _WRITE,
    "save_costs": _WRITE,
    "change_profile": _WRITE,
    "invite_to_staff": _WRITE,
    "withdraw_invitation": _WRITE,
    "change_staff": _WRITE,
    "remove_staff": _WRITE,
    "create_key": _WRITE,
    "revoke_key": _WRITE,
}


def may_manage(principal: Principal | None, seller_id: str) -> bool:
    """Return whether a principal may open the settings of a seller."""
    if principal is None or principal.scopes is not None:
        return False
    return "admin" in principal.roles or principal.sellers.get(seller_id) in STAFF_MANAGERS
