"""Counts what somebody was answered: the strategy, what each source did, and what the rules did."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from common.metrics import RECOMMENDATION_SOURCES, RECOMMENDATIONS
from serving.recommendations.candidates import CandidateCollector, Candidates, read_extras
from serving.recommendations.product_cache import InterestCache
from serving.recommendations.proposal import Proposal
from serving.recommendations.reasons import reason_of
from serving.recommendations.recommender import RecommendationRequest, Recommender
from serving.recommendations.rules.context import Placed, RuleContext
from serving.recommendations.rules.shop_rules import Page, count_effects
from serving.recommendations.rules.step import RankedList, apply_rules, draws_of, wanted_extras
from serving.recommendations.schemas import AskedSource, Item, Reason
from serving.recommendations.strategies import Strategy
from serving.recommendations.trained_models import ModelInUse

OF_MODEL = frozenset(("trained_neighbours", "similar_content"))
"""The sources that read the trained model."""


@dataclass(frozen=True, slots=True)
class RankedItems:
    """The recommended items, which sources answered, and the version of the model if its source did.

    `ranked` has the items in the same order, and what the rules of the shop did to the list. `blended` is
    what each source proposed whose scores are added up. `propensity` is the chance with which each item has
    its place. Of a random list, `alternatives` has the product ids of each strategy's list.
    """

    items: list[Item]
    parts: list[AskedSource]
    model_version: str | None
    ranked: RankedList
    blended: Mapping[str, Sequence[Proposal]] = field(default_factory=dict)
    propensity: float = 1.0
    alternatives: Mapping[str, Sequence[str]] = field(default_factory=dict)


class Ranker:
    """Ranks products with these recommenders, each under its name.

    Without `interest`, nothing is discounted by popularity.
    """

    def __init__(self, recommenders: Sequence[Recommender], interest: InterestCache | None = None) -> None:
        self._recommenders = {each.strategy: each for each in recommenders}
        self._interest = interest

    async def rank(
        self,
        request: RecommendationRequest,
        n: int,
        context: Page,
        strategy: Strategy,
        allowed: RuleContext,
    ) -> RankedItems:
        """Return at most `n` products, the best first.

        Raises:
            RedisUnavailable: Redis does not answer.
        """
        collector = CandidateCollector(self._recommenders, request, n, allowed, self._interest)
        found = await collector.collect(strategy, request.model.weights, context)
        draws = draws_of(allowed, n, is_empty=found.passing == 0)
        extras = await read_extras(wanted_extras(allowed, draws, n), request.cards, allowed)
        ranked = apply_rules(found.ranked, extras, draws, allowed, n)
        items = [_item(each, found.proposals, reason_of(each, found.causes, request))
                 for each in ranked.items]  # fmt: skip
        return RankedItems(
            items, list(found.parts.values()), _version(request.model, found), ranked, found.blended
        )


def _version(model: ModelInUse, found: Candidates) -> str | None:
    """Return the version of the model if one of its sources answered."""
    return model.model.version if model.model and found.answered & OF_MODEL else None


def _item(placed: Placed, proposals: Mapping[str, Proposal], reason: Reason) -> Item:
    card = placed.candidate.card
    assert card is not None, "the rules remove products without an offer"
    sources = proposals[card.product_id].sources if card.product_id in proposals else {}
    return {
        "product_id": card.product_id,
        "seller_id": card.seller_id,
        "name": card.name,
        "category": card.category,
        "price_minor": card.price_minor,
        "currency": card.currency,
        "score": round(placed.candidate.score, 6),
        "sources": {source: round(share, 6) for source, share in sources.items()},
        "sponsored": placed.sponsored,
        "reason": reason,
    }


def count_list(surface: str, strategy: str, found: RankedItems) -> None:
    """Count a list that a visitor gets."""
    RECOMMENDATIONS.labels(surface, strategy).inc()
    count_sources(found.parts)
    count_effects(found.ranked.effects)


def count_sources(parts: Sequence[AskedSource]) -> None:
    """Count what each source did, once for an answer that somebody gets."""
    for part in parts:
        RECOMMENDATION_SOURCES.labels(part["source"], part["reason"] or "answered").inc()
