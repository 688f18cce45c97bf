"""Random lists: what they have of the strategies' lists, and when a visitor gets the usual list instead."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from redis.asyncio import Redis

from common.experiments.definition import StrategyName
from schemas.published_model.weights import DEFAULT_WEIGHTS
from serving.kit.offers import Offer
from serving.kit.product_cards import ProductCardLoader
from serving.recommendations.proposal import Proposal
from serving.recommendations.ranker import RankedItems, Ranker, random_list
from serving.recommendations.recommender import RecommendationRequest
from serving.recommendations.rules.context import (
    ActiveRules,
    Candidate,
    Draft,
    ExposurePool,
    PinnedPlace,
    Placed,
    RuleContext,
)
from serving.recommendations.rules.step import limit, may_have_any
from serving.recommendations.strategies import Strategy
from serving.recommendations.trained_models import ModelInUse
from serving.recommendations.visitor_history import VisitorHistory

STRATEGIES: Mapping[StrategyName, Strategy] = {
    "blend": Strategy((), ("lamps",)),
    "popular": Strategy((), ("rugs",)),
}


@dataclass(frozen=True)
class Fixed:
    """A recommender that proposes the same products to everybody."""

    strategy: str
    product_ids: tuple[str, ...]

    async def propose(self, _request: RecommendationRequest, _wanted: int) -> Sequence[Proposal]:
        return [
            Proposal(each, 1.0 / rank, "content", self.strategy)
            for rank, each in enumerate(self.product_ids, 1)
        ]


def drawn(
    rules: ActiveRules,
    lamps: tuple[str, ...] = ("lamp1", "lamp2"),
    rugs: tuple[str, ...] = ("rug1", "rug2"),
    pool: tuple[str, ...] = (),
    n: int = 3,
    variants: tuple[str, ...] = (),
) -> RankedItems | None:
    """Return a random list of at most `n` products of one seller, those of the default strategy first."""
    cards = ProductCardLoader(Redis(), "")
    listing = {"seller_id": "ana", "currency": "BRL", "price_minor": 900, "listed": 1, "category": "home"}
    products = {*lamps, *rugs, *pool, "sofa", "lamps", "rugs"}
    for product_id in products:
        group = {"group_id": "variants"} if product_id in variants else {}
        cards.store([product_id], [(orjson.dumps([listing | group]), None)])
    model = ModelInUse(None, "no_model", DEFAULT_WEIGHTS)
    request = RecommendationRequest(VisitorHistory({}, {}, {}, None), [], None, frozenset(), cards, [], model)
    return asyncio.run(
        random_list(
            Ranker([Fixed("lamps", lamps), Fixed("rugs", rugs)]),
            STRATEGIES,
            request,
            n,
            "home",
            RuleContext(rules, seed="ann", pool=ExposurePool(others=pool)),
            lambda count: range(count - 1, -1, -1),
        )
    )


def shown(found: RankedItems) -> list[str]:
    return [item["product_id"] for item in found.items]


def test_a_random_list_has_products_of_all_strategies_and_says_what_each_would_show() -> None:
    found = drawn(ActiveRules())
    assert found is not None
    assert shown(found) == ["lamp2", "lamp1", "rug2"]
    assert [each.candidate.product_id for each in found.ranked.items] == shown(found)
    assert found.propensity == 1 / 4
    assert found.alternatives == {"blend": ["lamp1", "lamp2"], "popular": ["rug1", "rug2"]}
    assert {part["source"] for part in found.parts} == {"lamps", "rugs"}


def test_a_product_of_several_strategies_has_the_reason_of_the_default_one() -> None:
    found = drawn(ActiveRules(), ("lamp1", "sofa"), ("sofa", "rug1"))
    assert found is not None
    reasons = {item["product_id"]: item["reason"]["product_id"] for item in found.items}
    assert reasons == {"lamp1": "lamps", "sofa": "lamps", "rug1": "rugs"}


def test_a_random_list_has_nothing_in_a_place_of_its_own() -> None:
    rules = ActiveRules(
        pins=(PinnedPlace(0, "product", "sofa"),),
        sponsored=("sofa",),
        sponsored_places=(1,),
        max_sponsored=1,
        exposure_share=0.5,
    )
    found = drawn(rules, pool=("sofa",))
    assert found is not None
    assert shown(found) == ["lamp2", "lamp1", "rug2"]


def test_of_the_variants_of_a_product_one_is_drawn_and_the_chance_says_so() -> None:
    found = drawn(ActiveRules(), variants=("lamp1", "rug2"), n=4)
    assert found is not None
    assert shown(found) == ["lamp2", "lamp1", "rug1"]
    assert found.propensity == 1 / 3
    assert [each.propensity for each in found.ranked.items] == [1 / 3, 1 / 6, 1 / 3]
    assert found.alternatives == {"blend": ["lamp1", "lamp2"], "popular": ["rug1", "rug2"]}


@pytest.mark.parametrize(("most", "is_random"), [(3, True), (2, False)])
def test_where_the_limits_forbid_some_draws_the_list_is_the_usual_one(most: int, is_random: bool) -> None:
    """Each strategy shows two products of one seller. A random list has three of these four."""
    assert (drawn(ActiveRules(max_per_seller=most)) is not None) is is_random


def test_the_random_lists_of_a_shop_with_one_seller_are_within_the_default_limits() -> None:
    """The strategies show more than 25 products together, but a list has 15 of them."""
    lamps, rugs = (tuple(f"{each}{number}" for number in range(15)) for each in ("lamp", "rug"))
    found = drawn(ActiveRules(max_per_seller=25, max_per_category=25), lamps, rugs, n=15)
    assert found is not None
    assert (len(found.items), found.propensity) == (15, 1 / 30)


def test_where_no_strategy_shows_anything_the_list_is_the_usual_one() -> None:
    """It may have products for exposure, so that the shelf is not empty."""
    assert drawn(ActiveRules(exposure_share=0.1), lamps=(), rugs=(), pool=("sofa",)) is None


@given(
    st.lists(
        st.tuples(st.sampled_from("abc"), st.sampled_from(["Lamps", "lamps", "rugs", None])), max_size=6
    ),
    st.integers(1, 6),
    st.integers(1, 4),
    st.integers(1, 4),
)
def test_a_list_is_drawn_only_if_every_list_that_may_be_drawn_is_within_the_limits(
    offered: list[tuple[str, str | None]], n: int, of_seller: int, of_category: int
) -> None:
    placed = [
        Placed(Candidate(str(number), Offer(str(number), seller, None, category, "BRL", 900, True, 5)))
        for number, (seller, category) in enumerate(offered)
    ]
    rules = ActiveRules(max_per_seller=of_seller, max_per_category=of_category)
    lists = combinations(placed, min(n, len(placed)))

    within = all(
        limit(Draft([each.candidate for each in one]), RuleContext(rules)).effects == () for one in lists
    )

    assert may_have_any(placed, n, rules) is within
