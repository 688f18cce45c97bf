"""Translates why a product is recommended. The API gives the reason in English. Pure."""

import re

from serving.web.translation import N_, gettext

REASONS = (
    N_("Popular right now"),
    N_("Popular in %(name)s"),
    N_("Often viewed together with %(name)s"),
    N_("Goes with %(name)s in your cart"),
    N_("Because you looked at %(name)s"),
    N_("Because you bought %(name)s"),
    N_("Similar to %(name)s"),
    N_("Sponsored"),
    N_("Chosen by the shop"),
    N_("Waiting to be discovered"),
)

_PATTERNS = {
    text: re.compile(re.escape(text).replace(re.escape("%(name)s"), "(?P<name>.+)")) for text in REASONS
}


def reason_text(reason: str) -> str:
    """Return the reason in the language of the request; a reason that is not known stays English."""
    for text, pattern in _PATTERNS.items():
        if found := pattern.fullmatch(reason):
            return gettext(text, **found.groupdict())
    return reason
