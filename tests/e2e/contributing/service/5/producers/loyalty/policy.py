"""Who may see points: processes of the platform."""

from collections.abc import Mapping

from common.access_policy import AccessPolicy, allow

POLICIES: Mapping[str, AccessPolicy] = {
    "show": allow("platform", traffic="read"),
}
