"""Who may use the order endpoints. A person reaches only their own orders (`queries/find_order*.sql`)."""

from collections.abc import Mapping

from common.access_policy import AccessPolicy, allow

POLICIES: Mapping[str, AccessPolicy] = {
    "place": allow("guest", "shopper", "platform", traffic="checkout", handles_idempotency_key=True),
    "list_own": allow("guest", "shopper", traffic="read"),
    "show": allow("guest", "shopper", "admin", "platform", traffic="read"),
    "payment_details": allow("platform", traffic="operations"),
    "export": allow("platform", traffic="operations"),
    "cancel": allow("guest", "shopper", "admin", "platform", traffic="write"),
}
