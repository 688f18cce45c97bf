"""Who may send browsing events: visitors, about themselves, and processes of the platform."""

from collections.abc import Mapping

from common.access_policy import AccessPolicy, allow

POLICIES: Mapping[str, AccessPolicy] = {
    "take_events": allow("guest", "shopper", "platform", traffic="write"),
}
