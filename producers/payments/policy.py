"""Who may use the payment endpoints. A shopper sees the payment as a part of the order."""

from collections.abc import Mapping

from common.access_policy import AccessPolicy, allow

POLICIES: Mapping[str, AccessPolicy] = {
    "show": allow("admin", "platform", traffic="read"),
    "close": allow("platform", traffic="operations"),
}
