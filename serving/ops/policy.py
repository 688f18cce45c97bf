"""Who may see health, readiness and metrics, what is where, and what audits found."""

from collections.abc import Mapping

from common.access_policy import AccessPolicy, allow, anyone

_OPERATORS = allow("admin", "platform", traffic="operations")

POLICIES: Mapping[str, AccessPolicy] = {
    "health": anyone("operations"),
    "ready": anyone("operations"),
    "metrics": anyone("operations"),
    "platform_overview": _OPERATORS,
    "services": _OPERATORS,
    "audits": _OPERATORS,  # their differences contain rows of every seller
    "audit": _OPERATORS,
}
