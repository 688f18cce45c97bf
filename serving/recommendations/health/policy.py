"""Who may see the health of recommendations: it compares sellers, so administrators only."""

from collections.abc import Mapping

from common.access_policy import AccessPolicy, allow

POLICIES: Mapping[str, AccessPolicy] = {
    "recommendation_health": allow("admin", "platform", traffic="read"),
}
