"""No answer breaks a rule of the shop, ranked or random, over random catalogues, histories and proposals."""

import asyncio
from collections import Counter
from collections.abc import Sequence, Set
from dataclasses import dataclass
from datetime import UTC, datetime
from random import Random
from typing import Any

import orjson
from hypothesis import given
from hypothesis import strategies as st
from redis.asyncio import Redis

from schemas.published_model.weights import DEFAULT_WEIGHTS
from serving.kit.product_cards import ProductCardLoader
from serving.recommendations.bought_before import BoughtBefore
from serving.recommendations.proposal import Proposal
from serving.recommendations.ranker import RankedItems, Ranker, random_list
from serving.recommendations.recent_offers import NewFromFollowed, RecentOffer, RecentOffers, SinceLastVisit
from serving.recommendations.recommender import PassedOver, RecommendationRequest
from serving.recommendations.rules.checks import due_again, refusal
from serving.recommendations.rules.context import (
    ActiveRules,
    ExposurePool,
    PinnedPlace,
    RuleContext,
    Targets,
    category_key,
)
from serving.recommendations.scoring import Seed
from serving.recommendations.shelves import COMPLETES, FOLLOWED, ROWS, RULES_OF, RowPage, ranked_rows
from serving.recommendations.strategies import STRATEGIES
from serving.recommendations.trained_models import ModelInUse
from serving.recommendations.visitor_history import VisitorHistory

NOW_S, DAY_S = 1_800_000_000.0, 86_400.0
NOW = datetime.fromtimestamp(NOW_S, UTC)
PRODUCTS = tuple(f"p{number}" for number in range(40))
SELLERS, CATEGORIES = ("ana", "bob", "eva"), ("lamps", "coffee", "adult", None)
GROUPS = ("g1", "g2", None, None, None)
SOURCES = {
    "item_neighbours": "similar",
    "trained_neighbours": "similar",
    "similar_content": "content",
    "popular_in_category": "category",
    "popular_products": "popular",
}
"""Source → the kind of its proposals."""


@dataclass(frozen=True)
class Fixed:
    """A recommender with these proposals, or without a history of the visitor if there are none."""

    strategy: str
    proposals: Sequence[Proposal]

    async def propose(self, _request: RecommendationRequest, _wanted: int) -> Sequence[Proposal]:
        if not self.proposals:
            raise PassedOver("no_history")
        return self.proposals


@dataclass(frozen=True)
class Case:
    """A request for `n` products, what the rules know of it, and what each source proposes."""

    request: RecommendationRequest
    context: RuleContext
    n: int
    ranker: Ranker


def some(random: Random, most: int) -> list[str]:
    return random.sample(PRODUCTS, random.randrange(most + 1))


def some_card(random: Random, groups: Sequence[str | None]) -> tuple[bytes, bytes]:
    """The offers and the stock of a product. Half of the offers are not for sale or break a rule."""
    sellers = random.sample(SELLERS, random.choice((1, 1, 2)))
    offers = [
        {
            "seller_id": seller, "name": random.choice((None, "Lamp")),
            "category": random.choice(CATEGORIES), "price_minor": random.randrange(9),
            "currency": random.choice(("BRL", "BRL", "BRL", "EUR")), "listed": random.choice((0, 1, 1, 1)),
            "group_id": random.choice(groups),
        }
        for seller in sellers
    ]  # fmt: skip
    stock = {seller: random.choice((0, 5, 5)) for seller in sellers}
    return orjson.dumps(offers), orjson.dumps(stock)


def some_target(random: Random) -> Any:
    return random.choice((("product", "p1"), ("product", "p2"), ("seller", "ana"), ("category", "lamps")))


def some_rules(random: Random) -> ActiveRules:
    return ActiveRules(
        blocks=Targets.of((*some_target(random), 1.0) for _ in range(random.randrange(2))),
        boosts=Targets.of((*some_target(random), 5.0) for _ in range(random.randrange(3))),
        pins=tuple(
            PinnedPlace(random.randrange(9), *some_target(random)) for _ in range(random.randrange(3))
        ),
        sponsored=tuple(some(random, 6)),
        sponsored_places=(1, 4),
        max_sponsored=random.randrange(3),
        max_per_seller=random.choice((2, 5, 50)),
        max_per_category=random.choice((2, 5, 50)),
        restricted=frozenset(("adult",)),
        consumables=frozenset(("coffee",)),
        repurchase_days=random.choice((1, 30)),
        exposure_share=random.choice((0.0, 0.1, 0.5)),
    )


def some_proposals(random: Random, kind: Any) -> list[Proposal]:
    because = "lamps" if kind == "category" else None if kind == "popular" else "p0"
    return [
        Proposal(each, 1.0 / rank, kind, because) for rank, each in enumerate(some(random, len(PRODUCTS)), 1)
    ]


def case_of(random: Random, groups: Sequence[str | None] = GROUPS) -> Case:
    cards = ProductCardLoader(Redis(), "")
    cards.store(PRODUCTS, [some_card(random, groups) for _ in PRODUCTS])
    viewed, carted, bought = (dict.fromkeys(some(random, 3), NOW_S - DAY_S) for _ in range(3))
    unwanted = frozenset((*carted, *some(random, 4)))
    rules = some_rules(random)
    excluded = unwanted | ({*viewed, *bought} - due_again(bought, NOW_S, rules))
    model = ModelInUse(None, "no_model", DEFAULT_WEIGHTS)
    visitor = VisitorHistory(viewed, carted, bought, None)
    waiting = some(random, 10)
    context = RuleContext(
        rules, NOW_S, str(random.random()), "BRL", None, frozenset(("eva",)), excluded, unwanted,
        bought, ExposurePool(tuple(waiting[:3]), tuple(waiting[3:])),
    )  # fmt: skip
    changes = [RecentOffer(each, "new", NOW_S - random.randrange(3) * DAY_S) for each in some(random, 20)]
    recent = RecentOffers({"lamps": changes}, {"ana": changes, "bob": changes[:5]})
    fixed = (Fixed(name, some_proposals(random, kind)) for name, kind in SOURCES.items())
    request = RecommendationRequest(visitor, [Seed("p0", 1.0)], None, excluded, cards, ["p0"], model,
                                    unwanted=unwanted, followed=frozenset(("ana", "eva")))  # fmt: skip
    return Case(
        request,
        context,
        random.choice((1, 3, 6, 12, 50)),
        Ranker(
            [
                *fixed,
                BoughtBefore(),
                SinceLastVisit(lambda: recent, lambda: NOW),
                NewFromFollowed(lambda: recent),
            ]
        ),
    )


def check(found: RankedItems, case: Case, excluded: Set[str] | None = None) -> None:
    """Assert that a list is within every rule, and that its items say why they are there.

    No recommender may propose products that are `excluded`: by default, those that the case excludes.
    """
    left_out = case.context.excluded if excluded is None else excluded
    rules = case.context.rules
    assert len({item["product_id"] for item in found.items}) == len(found.items) <= case.n
    for item, placed in zip(found.items, found.ranked.items, strict=True):
        card = placed.candidate.card
        assert card is not None
        assert (item["product_id"], item["seller_id"]) == (card.product_id, card.seller_id)
        assert refusal(card, case.context) is None
        is_chosen = placed.rule in ("pin", "sponsored")
        assert item["product_id"] not in (case.context.unwanted if is_chosen else left_out)
        assert item["sponsored"] is (placed.rule == "sponsored")
        assert item["sources"] or placed.rule, "neither a source nor a rule"
    sellers = Counter(item["seller_id"] for item in found.items)
    categories = Counter(category for item in found.items if (category := category_key(item["category"])))
    assert max(sellers.values(), default=0) <= rules.max_per_seller
    assert max(categories.values(), default=0) <= rules.max_per_category
    assert sum(item["sponsored"] for item in found.items) <= rules.max_sponsored
    groups = [card.group_id for each in found.ranked.items if (card := each.candidate.card) and card.group_id]
    assert len(groups) == len(set(groups)), "two variants of one product"


@given(st.integers(0, 2**32), st.sampled_from(sorted(STRATEGIES)))
def test_no_answer_of_any_strategy_breaks_a_rule(seed: int, strategy: Any) -> None:
    case = case_of(Random(seed))
    rank = case.ranker.rank(case.request, case.n, "home", STRATEGIES[strategy], case.context)
    check(asyncio.run(rank), case)


@given(st.integers(0, 2**32), st.booleans())
def test_no_random_list_breaks_a_rule_and_each_has_the_chance_that_it_says(
    seed: int, has_variants: bool
) -> None:
    random = Random(seed)
    case = case_of(random, GROUPS if has_variants else (None,))
    drawn = random_list(
        case.ranker, STRATEGIES, case.request, case.n, "home", case.context,
        lambda count: random.sample(range(count), count),
    )  # fmt: skip
    found = asyncio.run(drawn)
    if found is None:
        return
    check(found, case)
    assert found.alternatives.keys() == STRATEGIES.keys()
    products = {each for listed in found.alternatives.values() for each in listed}
    drawn_from = round(1 / found.propensity)
    assert drawn_from <= len(PRODUCTS)
    if has_variants:
        assert {each.propensity for each in found.ranked.items} <= {
            found.propensity * (1 / variants) for variants in range(1, len(PRODUCTS))
        }
    else:
        assert len(products) <= drawn_from
        assert {each.propensity for each in found.ranked.items} == {found.propensity}
    assert len(found.items) == min(case.n, drawn_from)
    assert all(placed.rule is None for placed in found.ranked.items)


@given(st.integers(0, 2**32), st.sampled_from(sorted(ROWS)))
def test_no_titled_row_breaks_a_rule_or_shows_a_product_of_another_row(seed: int, page: RowPage) -> None:
    case = case_of(Random(seed))

    rows = asyncio.run(
        ranked_rows(case.ranker, ROWS[page], case.request, case.n, RULES_OF[page], case.context)
    )

    for row in rows:
        check(row.found, case, {*case.context.unwanted, *row.focus.request.excluded})
        assert len(row.found.items) >= row.definition.shortest
        assert all(placed.rule is None for placed in row.found.ranked.items), "a rule inserted a product"
    products = [item["product_id"] for row in rows for item in row.found.items]
    assert len(products) == len(set(products))
    assert {row.definition.name for row in rows} <= {definition.name for definition in ROWS[page]}


@given(st.integers(0, 2**32))
def test_what_is_new_from_followed_sellers_is_their_offer(seed: int) -> None:
    case = case_of(Random(seed))

    rows = asyncio.run(ranked_rows(case.ranker, [FOLLOWED], case.request, case.n, "home", case.context))

    sellers = {item["seller_id"] for row in rows for item in row.found.items}
    assert sellers <= {"ana"}, "eva is followed, but suspended"


@given(st.integers(0, 2**32))
def test_what_completes_the_cart_has_a_category_that_the_cart_has_not(seed: int) -> None:
    case = case_of(Random(seed))
    in_cart = {
        category_key(card.category) for each in case.request.visitor.carted
        if (card := case.request.cards.get(each))
    }  # fmt: skip

    rows = asyncio.run(ranked_rows(case.ranker, [COMPLETES], case.request, case.n, "cart", case.context))

    for item in (item for row in rows for item in row.found.items):
        assert item["category"] is not None
        assert category_key(item["category"]) not in in_cart
