"""Who may see health, readiness and metrics, and what is where."""

from collections.abc import Mapping

from common.access_policy import AccessPolicy, allow, anyone

POLICIES: Mapping[str, AccessPolicy] = {
    "health": anyone("operations"),
    "ready": anyone("operations"),
    "metrics": anyone("operations"),
    "platform_overview": allow("admin", "platform", traffic="operations"),
    "services": allow("admin", "platform", traffic="operations"),
}
