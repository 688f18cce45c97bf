"""Counts impressions and clicks of recommendations, whose quotient is the click-through rate."""

from collections.abc import Iterable

from common.metrics import RECOMMENDATION_CLICKS, RECOMMENDATION_IMPRESSIONS
from serving.intake.validation import ValidEvent

SURFACES = frozenset({"home", "product", "cart", "order", "search", "email"})
"""Where recommendations are shown, as the schema of `recommendation_shown` says. A client may send any text,
and each label stays in memory, so all others count as `other`."""


def count_recommendations(accepted: Iterable[ValidEvent]) -> None:
    """Count the products of lists that came into view, and clicks on them, by surface."""
    for each in accepted:
        if each.event == "recommendation_shown":
            RECOMMENDATION_IMPRESSIONS.labels(_label(each)).inc(len(each.record["items"]))
        elif each.event == "recommendation_clicked":
            RECOMMENDATION_CLICKS.labels(_label(each)).inc()


def _label(event: ValidEvent) -> str:
    surface: str = event.record["surface"]
    return surface if surface in SURFACES else "other"
