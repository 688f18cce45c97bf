"""Counts what somebody was answered: the strategy, what each source did, and what the rules did."""

from collections.abc import Sequence

from common.metrics import RECOMMENDATION_SOURCES, RECOMMENDATIONS
from serving.recommendations.ranker import RankedItems
from serving.recommendations.rules.shop_rules import count_effects
from serving.recommendations.schemas import AskedSource


def count_list(surface: str, strategy: str, found: RankedItems) -> None:
    """Count a list that a visitor gets."""
    RECOMMENDATIONS.labels(surface, strategy).inc()
    count_sources(found.parts)
    count_effects(found.ranked.effects)


def count_sources(parts: Sequence[AskedSource]) -> None:
    """Count what each source did, once for an answer that somebody gets."""
    for part in parts:
        RECOMMENDATION_SOURCES.labels(part["source"], part["reason"] or "answered").inc()
