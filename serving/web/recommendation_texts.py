"""Translates why products are recommended. The API gives reasons and titles of rows in English. Pure."""

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
    N_("You bought it before"),
    N_("New in the shop"),
    N_("Price lowered"),
    N_("Back in stock"),
)

TITLES = (
    N_("Buy again"),
    N_("Completes your cart"),
    N_("Since your last visit"),
    N_("New from sellers you follow"),
    N_("Chosen for you"),
)
"""The titles of rows that are not reasons, too."""

_PATTERNS = {
    text: re.compile(re.escape(text).replace(re.escape("%(name)s"), "(?P<name>.+)"))
    for text in (*REASONS, *TITLES)
}


def reason_text(reason: str) -> str:
    """Return a reason or title in the language of the request; an unknown one stays English."""
    for text, pattern in _PATTERNS.items():
        if found := pattern.fullmatch(reason):
            return gettext(text, **found.groupdict())
    return reason
