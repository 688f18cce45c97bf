"""Who may see what audits found: their differences contain rows of every seller."""

from collections.abc import Mapping

from common.access_policy import AccessPolicy, allow

POLICIES: Mapping[str, AccessPolicy] = {
    "audits": allow("admin", "platform", traffic="operations"),
    "audit": allow("admin", "platform", traffic="operations"),
}
