"""What the texts of statuses and payments mean, by the words in them."""

import re

from producers.replay.mapped.column_roles import plain
from producers.replay.mapped.guess.vocabulary import (
    CANCELLED_STEMS,
    KEPT_STEMS,
    PAYMENT_WORDS,
    RETURNED_STEMS,
    UNPAID_STEMS,
)


def status_meaning(text: str) -> str | None:
    """Return `cancelled`, `unpaid` or `returned`, or None: the order counts as confirmed."""
    words = plain(text)
    if _has(words, KEPT_STEMS):
        return None
    for meaning, stems in (
        ("cancelled", CANCELLED_STEMS),
        ("returned", RETURNED_STEMS),
        ("unpaid", UNPAID_STEMS),
    ):
        if _has(words, stems):
            return meaning
    return None


def payment_method(text: str) -> str | None:
    """Return the platform's method of payment, or None."""
    lower = text.casefold()
    return next((method for word, method in PAYMENT_WORDS if word in lower), None)


def _has(words: str, stems: tuple[str, ...]) -> bool:
    """Whether a word begins with one of the stems."""
    return any(re.search(rf"\b{re.escape(stem)}", words) for stem in stems)
