"""Random lists of products that several strategies would show, with the chance of each product."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

from common.experiments.definition import DEFAULT_STRATEGY, StrategyName
from serving.recommendations.blend import relative_scores
from serving.recommendations.ranker import RankedItems, Ranker
from serving.recommendations.recommender import RecommendationRequest
from serving.recommendations.rules.context import RuleContext, without_places
from serving.recommendations.rules.shop_rules import Page
from serving.recommendations.rules.step import RankedList, may_have_any
from serving.recommendations.schemas import Item
from serving.recommendations.strategies import Strategy, single_sources


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
    items, propensity = explored([each.items for each in every], n, shuffled)
    blended = {source: proposals for each in lists.values() for source, proposals in each.blended.items()}
    return RankedItems(
        _with_all_scores(items, [each.items for each in every], relative_scores(blended)),
        list({part["source"]: part for each in lists.values() for part in each.parts}.values()),
        next((each.model_version for each in lists.values() if each.model_version), None),
        RankedList([placed[item["product_id"]] for item in items], ()),
        blended,
        propensity,
        {name: [item["product_id"] for item in each.items] for name, each in lists.items()},
    )


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
