"""What checks and sources say on `/ops`, in the language of the page. The API says it in English."""

import re
from functools import partial

from serving.web.language import SOURCE, current_language
from serving.web.translation import N_, translated

TEXTS = (
    N_("it does not answer within %(seconds)s s"),
    N_("it was not asked yet"),
    N_("does not answer (%(error)s)"),
    N_("does not answer. It is tried again in %(seconds)s s"),
    N_("see ./souk logs %(part)s"),
    N_("see ./souk status"),
    N_("See ./souk status; ./souk up starts what is missing."),
    N_("the checks of the parts do not end in time"),
    N_("no TaskManager is registered, so nothing runs"),
    N_("the server at this address is not PostgreSQL"),
    N_("its consumer has not joined its group yet"),
    N_(
        "%(service)s is still starting: it waits for PostgreSQL or the schema registry. Nothing was "
        "changed; send the same request again."
    ),
    N_("%(database)s has migration %(newest)s, and this version needs %(expected)s: run ./souk up"),
    N_("ClickHouse is overloaded. Try again, or request a shorter period."),
    N_("A commerce service answered %(status)s to the gateway."),
    N_("No commerce service has %(target)s."),
    N_(
        "The service of %(service)s does not answer. Nothing is lost, and nothing was changed: "
        "send the request again in %(seconds)s s."
    ),
    N_("The service of %(service)s does not answer (%(error)s)"),
    N_("The service of %(service)s is too slow to answer"),
    N_("Nothing is lost: send the request again in a moment."),
)
"""Pieces of the platform's own texts, as the code writes them."""

TEXTS_OF_HTTPX = (N_("All connection attempts failed"),)

_VALUE = re.compile(r"%\\\((\w+)\\\)s")
"""A placeholder of an escaped text."""


def _pattern(text: str) -> re.Pattern[str]:
    """Return a pattern that finds a text with any values, which do not contain a semicolon."""
    ends_with_value = text.endswith(")s")
    found = _VALUE.sub(r"(?P<\1>[^;]+?)", re.escape(text))
    return re.compile(found + ("(?=;|$)" if ends_with_value else ""))


_PATTERNS = tuple((text, _pattern(text)) for text in sorted((*TEXTS, *TEXTS_OF_HTTPX), key=len, reverse=True))
"""The texts with their patterns, the longest first: it may contain a shorter one."""


def check_text(detail: str) -> str:
    """Return a detail with all of its pieces translated. What a server or a library wrote stays as it is."""
    if current_language() == SOURCE:
        return detail
    for text, pattern in _PATTERNS:
        detail = pattern.sub(partial(_translated, text), detail)
    return detail


def _translated(text: str, match: re.Match[str]) -> str:
    return translated(text) % match.groupdict()
