"""A random list has the scores of all sources, whichever strategy would show its products."""

import asyncio
from collections.abc import Callable, Mapping, Sequence

import orjson
from redis.asyncio import Redis

from schemas.published_model.weights import DEFAULT_WEIGHTS
from serving.kit.product_cards import ProductCardLoader
from serving.recommendations.proposal import Proposal
from serving.recommendations.ranker import RankedItems, Ranker, random_list
from serving.recommendations.recommender import RecommendationRequest
from serving.recommendations.rules.context import RuleContext
from serving.recommendations.strategies import STRATEGIES
from serving.recommendations.trained_models import ModelInUse
from serving.recommendations.visitor_history import VisitorHistory

SCORES: Mapping[str, Mapping[str, float]] = {
    "item_neighbours": {"lamp": 4.0, "desk": 2.0, "rug": 1.0},
    "trained_neighbours": {"desk": 0.5, "vase": 0.4},
    "similar_content": {"lamp": 0.2},
    "popular_in_category": {},
    "popular_products": {"rug": 9.0, "lamp": 3.0},
}


class Scored:
    """A source with given scores."""

    def __init__(self, strategy: str) -> None:
        self.strategy = strategy

    async def propose(self, _request: RecommendationRequest, _wanted: int) -> Sequence[Proposal]:
        scores = SCORES[self.strategy]
        return [Proposal(product_id, score, "popular") for product_id, score in scores.items()]


async def explored(shuffled: Callable[[int], Sequence[int]]) -> RankedItems | None:
    """Return a random list of two products that strategies with lists of two would show."""
    redis = Redis()
    cards = ProductCardLoader(redis, "")
    offer = {"seller_id": "ana", "name": None, "category": None, "currency": "BRL", "listed": 1}
    for product_id in ("lamp", "desk", "rug", "vase"):
        cards.store([product_id], [(orjson.dumps([offer | {"price_minor": 900}]), b'{"ana": 5}')])
    model = ModelInUse(None, "no_model", DEFAULT_WEIGHTS)
    nobody = VisitorHistory({}, {}, {}, None)
    request = RecommendationRequest(nobody, [], None, frozenset(), cards, [], model)
    ranker = Ranker([Scored(name) for name in SCORES])
    found = await random_list(ranker, STRATEGIES, request, 2, "home", RuleContext(), shuffled)
    await redis.aclose()
    return found


def test_a_product_has_the_scores_of_all_sources_whichever_strategy_would_show_it() -> None:
    found, others = (
        asyncio.run(explored(order))
        for order in (lambda count: range(count), lambda count: range(count)[::-1])
    )

    assert found is not None
    assert others is not None
    lists = {name: list(product_ids) for name, product_ids in found.alternatives.items()}
    assert (lists["blend"], lists["popular"]) == (["desk", "lamp"], ["rug", "lamp"])
    assert {item["product_id"]: item["sources"] for item in (*found.items, *others.items)} == {
        "lamp": {"item_neighbours": 1.0, "similar_content": 1.0, "popular_products": 0.333333},
        "desk": {"item_neighbours": 0.5, "trained_neighbours": 1.0},
        "vase": {"trained_neighbours": 0.8},
        "rug": {"item_neighbours": 0.25, "popular_products": 1.0},
    }
