"""Ranks products by a strategy or at random, and counts what somebody was answered."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from common.experiments.definition import DEFAULT_STRATEGY, StrategyName
from common.metrics import RECOMMENDATION_SOURCES, RECOMMENDATIONS
from serving.recommendations.candidates import CandidateCollector, read_extras
from serving.recommendations.product_cache import InterestCache
from serving.recommendations.proposal import Proposal, relative_scores
from serving.recommendations.reasons import reason_of
from serving.recommendations.recommender import RecommendationRequest, Recommender
from serving.recommendations.rules.context import Placed, RuleContext, without_places
from serving.recommendations.rules.shop_rules import Page, count_effects
from serving.recommendations.rules.step import RankedList, apply_rules, draws_of, may_have_any, wanted_extras
from serving.recommendations.schemas import AskedSource, Item, Reason
from serving.recommendations.strategies import Strategy, single_sources
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

    def __init__(
        self,
        recommenders: Sequence[Recommender],
        interest: InterestCache | None = None,
    ) -> None:
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
            items,
            list(found.parts.values()),
            version_that_answered(request.model, found.parts.values()),
            ranked,
            found.blended,
        )


def version_that_answered(model: ModelInUse, parts: Iterable[AskedSource]) -> str | None:
    """Return the version of the model if one of its sources answered."""
    answered = any(part["answered"] for part in parts if part["source"] in OF_MODEL)
    return model.model.version if model.model and answered else None


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


def explored(
    lists: Iterable[Sequence[Item]], n: int, shuffled: Callable[[int], Sequence[int]]
) -> tuple[list[Item], float]:
    """Return `n` products in random order, and the chance with which each has its place.

    Args:
        lists: the list that each strategy or source would show.
        n: the largest number of products to return.
        shuffled: returns the numbers below its argument, in an order drawn uniformly from all.

    The products are drawn from all lists together. With M different products, each has each place with the
    chance 1/M, whatever the strategies prefer. So every list among `lists` can be judged by the clicks on
    such answers.
    """
    products = list({item["product_id"]: item for items in lists for item in items}.values())
    return [products[index] for index in shuffled(len(products))[:n]], 1 / len(products) if products else 1.0


def one_of_each_group(
    group_of: Mapping[str, str | None], shuffled: Callable[[int], Sequence[int]]
) -> dict[str, float]:
    """Return products of which no two are variants of one group, and the chance that each was drawn with.

    Args:
        group_of: product → its group; None for a product without variants.
        shuffled: returns the numbers below its argument, in an order drawn uniformly from all.
    """
    variants: dict[str, list[str]] = {}
    for product_id, group in group_of.items():
        variants.setdefault(f"group {group}" if group else f"product {product_id}", []).append(product_id)
    return {each[shuffled(len(each))[0] if len(each) > 1 else 0]: 1 / len(each) for each in variants.values()}


async def random_list(
    ranker: Ranker,
    strategies: Mapping[StrategyName, Strategy],
    request: RecommendationRequest,
    n: int,
    page: Page,
    allowed: RuleContext,
    shuffled: Callable[[int], Sequence[int]],
) -> RankedItems | None:
    """Return `n` products, in random order, of those that all strategies and each blended source would show.

    Each source counts by itself, so that it can get a weight although the blend hardly shows its products.
    The list has no pinned, sponsored or new products, whose places are not random. It is None if the limits
    of the rules would forbid one of the lists that may be drawn, because that must not depend on the draw.
    Of the variants of one group, one is drawn, and it has its place with the chance of both draws.
    Each product has the scores of all blended sources, also of those that its strategy does not ask, because
    the weights of the sources are learned from them.

    Raises:
        RedisUnavailable: Redis does not answer.
    """
    freely = replace(allowed, rules=without_places(allowed.rules))
    # The last list counts: a product of several lists has the reason that the default strategy gives.
    default_last = sorted(strategies.items(), key=lambda each: each[0] == DEFAULT_STRATEGY)
    of_sources = [
        await ranker.rank(request, n, page, source, freely) for source in single_sources(strategies)
    ]
    lists = {name: await ranker.rank(request, n, page, strategy, freely) for name, strategy in default_last}
    every = [*of_sources, *lists.values()]
    placed = {each.candidate.product_id: each for one in every for each in one.ranked.items}
    # Without products to draw from, the rules may still fill the usual list with products for exposure.
    if not placed or not may_have_any(placed.values(), n, freely.rules):
        return None
    drawn = one_of_each_group({product_id: _group_of(each) for product_id, each in placed.items()}, shuffled)
    drawn_items = [[item for item in each.items if item["product_id"] in drawn] for each in every]
    items, propensity = explored(drawn_items, n, shuffled)
    blended = {source: proposals for each in lists.values() for source, proposals in each.blended.items()}
    return RankedItems(
        _with_all_scores(items, [each.items for each in every], relative_scores(blended)),
        list({part["source"]: part for each in lists.values() for part in each.parts}.values()),
        next((each.model_version for each in lists.values() if each.model_version), None),
        RankedList(
            [
                replace(placed[item["product_id"]], propensity=propensity * drawn[item["product_id"]])
                for item in items
            ],
            (),
        ),
        blended,
        propensity,
        {name: [item["product_id"] for item in each.items] for name, each in lists.items()},
    )


def _group_of(placed: Placed) -> str | None:
    return placed.candidate.card.group_id if placed.candidate.card else None


def _with_all_scores(
    items: Sequence[Item], lists: Sequence[Sequence[Item]], blended: Mapping[str, Mapping[str, float]]
) -> list[Item]:
    """Return the items with the scores that they have in any list, and those of all blended sources."""
    sources: dict[str, dict[str, float]] = {}
    for item in (item for each in lists for item in each):
        sources.setdefault(item["product_id"], {}).update(item["sources"])
    for product_id, scores in blended.items():
        sources.setdefault(product_id, {}).update({name: round(score, 6) for name, score in scores.items()})
    return [{**item, "sources": sources[item["product_id"]]} for item in items]
