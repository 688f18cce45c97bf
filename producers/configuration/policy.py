"""Who may use the settings endpoints: administrators, since a setting concerns the whole platform."""

from collections.abc import Mapping

from common.access_policy import AccessPolicy, allow

READERS = allow("admin", "platform", traffic="read")
WRITERS = allow("admin", "platform", traffic="write")

POLICIES: Mapping[str, AccessPolicy] = {
    "show_all": READERS,
    "show_history": READERS,
    "change": WRITERS,
    "rollback": WRITERS,
    "forget_person": allow("platform", traffic="operations"),
}
