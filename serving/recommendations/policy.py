"""Who may see recommendations. They tell what a visitor looked at, so each visitor sees only their own."""

from collections.abc import Mapping

from common.access_policy import AccessPolicy, allow, anyone

POLICIES: Mapping[str, AccessPolicy] = {
    "recommend": allow(
        "guest", "shopper", "platform", traffic="recommendation", shopper_parameter="visitor_id"
    ),
    "rows": allow("guest", "shopper", "platform", traffic="recommendation", shopper_parameter="visitor_id"),
    "personal_products": allow(
        "guest", "shopper", "platform", traffic="read", shopper_parameter="visitor_id"
    ),
    "sellers_to_follow": allow(
        "guest", "shopper", "platform", traffic="recommendation", shopper_parameter="visitor_id"
    ),
    "similar": anyone("recommendation"),
}
