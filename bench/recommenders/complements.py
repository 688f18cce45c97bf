"""Replays simulated visits and orders, and measures how often "Completes your cart" has what else is bought.

Of each order whose last product has a category of its own, this product is held out. The row is computed
before the visit views it for the first time, from what is in the cart until then: neighbours of the cart's
products, without the cart's categories (`serving/recommendations/rows/focuses.py`).
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from bench.arms.shop import Shop
from bench.recommenders.blend import LIVE_SHARE, TRAINED_SHARE, organic_views, paired_difference, trained_rows
from bench.recommenders.simulated_marketplace import marketplace
from producers.simulator.history.days import SimulatedDay, SimulatedHistory
from schemas.published_model.weights import DEFAULT_WEIGHTS
from serving.recommendations.blend import blend
from serving.recommendations.proposal import Proposal
from serving.recommendations.recommender import neighbour_proposals
from serving.recommendations.scoring import Neighbours, fold_in_seeds, history, seeds

K = 6
"""The length of the row, as in the shop."""

POPULAR = "popular products of other categories"


@dataclass(frozen=True)
class ComplementsBenchPlan:
    """The simulated marketplace and the model."""

    seed: int
    products: int
    shoppers: int
    events: int
    model: str


@dataclass(frozen=True)
class ComplementsBenchResult:
    """By the name of the row, whether each held-out product is in it [orders]."""

    plan: ComplementsBenchPlan
    hits: Mapping[str, NDArray[np.float64]]


@dataclass(frozen=True)
class _Case:
    """The cart of a visit before the held-out product is viewed for the first time, and that product."""

    cart: Mapping[str, float]
    held_out: str
    at_s: float


def run(plan: ComplementsBenchPlan) -> ComplementsBenchResult:
    """Replay the marketplace of a plan."""
    market = marketplace(plan.seed, plan.products, plan.shoppers, plan.events)
    log = organic_views(market, plan.seed)
    trained, decay = trained_rows(log, int(len(log.products) * TRAINED_SHARE), plan.model)
    ids = market.world.products.ids
    rows = {
        ids[int(product)]: {ids[int(other)]: score for other, score in row.items()}
        for product, row in trained.items()
    }
    categories = (str(category) for category in market.world.products.category)
    shop = Shop(dict(zip(ids, categories, strict=True)))
    first = int(market.plan.days * (TRAINED_SHARE + LIVE_SHARE))
    hits: dict[str, list[float]] = defaultdict(list)
    for number in range(market.plan.days):
        for case in _replayed(market, market.draw_day(number), shop):
            if number >= first:
                for name, shown in _lists(shop, case.cart, case.at_s, rows, decay).items():
                    hits[name].append(float(case.held_out in shown))
        shop.end_day()
    return ComplementsBenchResult(plan, {name: np.array(each) for name, each in hits.items()})


def show(result: ComplementsBenchResult, console: Console) -> None:
    """Print the figures: differences are from popular products, with 95 % of their half-width."""
    title = f"completes the cart, simulator, seed {result.plan.seed}, {result.plan.model}"
    table = Table("row", f"recall@{K}", "difference", title=title)
    before = result.hits[POPULAR]
    for name, each in result.hits.items():
        table.add_row(name, f"{each.mean():.4f}", paired_difference(each, before))
    table.caption = f"{len(before):,} orders whose last product has a category of its own"
    console.print(table)


def _replayed(market: SimulatedHistory, day: SimulatedDay, shop: Shop) -> Iterator[_Case]:
    """Record a day's visits in the order of their starts. Yield each case before the rest of its visit."""
    visits, views, world = day.visits, day.views, market.world
    rows_of: dict[int, list[int]] = defaultdict(list)
    for row, visit in enumerate(views.visit.tolist()):
        rows_of[visit].append(row)
    for visit in np.argsort(visits.started, kind="stable").tolist():
        shopper = world.shoppers.ids[int(visits.shopper[visit])]
        visitor = shopper if visits.signed_in[visit] else visits.ids[visit]
        rows = rows_of[visit]  # in the order of time
        kept = [
            world.products.ids[int(views.product[row])]
            for row in rows
            if views.adds[row] and not views.removes[row]
        ]
        is_order = bool(visits.checks_out[visit] and visits.registered[visit])
        held_out = _held_out(kept, shop.category_of) if is_order else None
        cart: dict[str, float] = {}
        at_s = 0.0
        for row in rows:
            product, at_s = world.products.ids[int(views.product[row])], float(views.at[row]) / 1_000
            if product == held_out and cart:
                yield _Case(dict(cart), held_out, at_s)
                held_out = None
            shop.view(visitor, product, at_s)
            if views.adds[row] and not views.removes[row]:
                shop.add_to_cart(visitor, product, at_s)
                cart[product] = at_s
        if cart and is_order:
            shop.order(visitor, shopper, dict.fromkeys(cart, 1), at_s)


def _held_out(kept: Sequence[str], category_of: Mapping[str, str]) -> str | None:
    """Return the product that was added last, if no other product of the order has its category."""
    if not kept or category_of[kept[-1]] in {category_of[each] for each in kept if each != kept[-1]}:
        return None
    return kept[-1]


def _lists(
    shop: Shop,
    cart: Mapping[str, float],
    now_s: float,
    rows: Mapping[str, Neighbours],
    decay: float,
) -> dict[str, Sequence[str]]:
    """Return the products of each row for a cart."""
    weighted, newest = seeds({}, cart), history({}, cart, {})
    live = {seed.product_id: shop.neighbours(seed.product_id, now_s) for seed in weighted}
    substitutes = {shop.category_of[product] for product in cart}

    def complements(products: Sequence[str]) -> list[str]:
        return [each for each in products if shop.category_of[each] not in substitutes][:K]

    def proposed(**proposals: Sequence[Proposal]) -> list[str]:
        every = blend(proposals, DEFAULT_WEIGHTS["cart"], sum(map(len, proposals.values())))
        return complements([one.product_id for one in every])

    co_visits = neighbour_proposals("similar", weighted, live, len(shop.category_of), cart)
    trained = neighbour_proposals("similar", fold_in_seeds(newest, decay), rows, len(shop.category_of), cart)
    return {
        POPULAR: complements([product for product, _ in shop.popular(now_s)]),
        "co-visits alone": proposed(item_neighbours=co_visits),
        "model alone": proposed(trained_neighbours=trained),
        "completes the cart": proposed(item_neighbours=co_visits, trained_neighbours=trained),
    }
