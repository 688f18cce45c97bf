"""Who may see points: the shopper who has them."""

from collections.abc import Mapping

from common.access_policy import AccessPolicy, allow

POLICIES: Mapping[str, AccessPolicy] = {
    "show": allow("shopper", "platform", traffic="read", shopper_parameter="shopper_id"),
}
