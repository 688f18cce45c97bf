"""Replays the views of a simulated marketplace, and measures where a category's page shows the next product.

Before a view, the category of the product is listed in each order. The view is organic: the simulator draws
it from the shopper's taste, whatever a list shows. So a good order shows the product early. The personal
orders are those of `serving/recommendations/listings/`, with the co-visits until the view and a model of the
first part of the log.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from bench.recommenders.blend import (
    LIVE_SHARE,
    TRAINED_SHARE,
    ViewLog,
    live_rows,
    organic_views,
    paired_difference,
    trained_rows,
)
from bench.recommenders.co_visits import CoVisits
from bench.recommenders.simulated_marketplace import marketplace
from jobs.recommendations.logic import MAX_RECENT
from producers.simulator.history.days import SimulatedHistory
from schemas.published_model.weights import DEFAULT_WEIGHTS
from serving.recommendations.blend import blend
from serving.recommendations.listings.service import SCORED, WINDOW
from serving.recommendations.listings.taste import Hit, Taste, by_taste
from serving.recommendations.recommender import neighbour_proposals
from serving.recommendations.scoring import (
    SUPPORT,
    Neighbours,
    Seed,
    covisit_unit,
    fold_in_seeds,
    history,
    seeds,
)

FIRST_PAGE = 24
"""The number of products on the first page of a listing."""

NEWEST = "newest first, for everybody"


@dataclass(frozen=True)
class ListingsBenchPlan:
    """The simulated marketplace, the model, and about how many views are predicted."""

    seed: int
    products: int
    shoppers: int
    events: int
    model: str
    cases: int


@dataclass(frozen=True)
class ListingsBenchResult:
    """By the name of the order, the place of each viewed product from 1 [cases]; the lists' mean length."""

    plan: ListingsBenchPlan
    places: Mapping[str, NDArray[np.int64]]
    mean_length: float


@dataclass(frozen=True)
class _Listings:
    """The products of the marketplace: each as a hit, and those of each category, the newest first."""

    hit: Mapping[str, Hit]
    of_category: Mapping[str | None, Sequence[Hit]]


def run(plan: ListingsBenchPlan) -> ListingsBenchResult:
    """Replay the marketplace of a plan."""
    market = marketplace(plan.seed, plan.products, plan.shoppers, plan.events)
    places: dict[str, list[int]] = defaultdict(list)
    lengths: list[int] = []
    for target, orders in _cases(organic_views(market, plan.seed), _listings(market), plan):
        lengths.append(len(orders[NEWEST]))
        for name, shown in orders.items():
            places[name].append(1 + shown.index(target))
    arrays = {name: np.array(each) for name, each in places.items()}
    return ListingsBenchResult(plan, arrays, float(np.mean(lengths)))


def show(result: ListingsBenchResult, console: Console) -> None:
    """Print the figures: differences are from today's order, with half the width of their 95 % intervals."""
    title = f"category pages, simulator, seed {result.plan.seed}, {result.plan.model}"
    table = Table("order", "first page", "MRR", "difference", "NDCG", "difference", title=title)
    before = result.places[NEWEST]
    for name, places in result.places.items():
        table.add_row(
            name,
            f"{(places <= FIRST_PAGE).mean():.3f}",
            f"{(1 / places).mean():.4f}",
            paired_difference(1 / places, 1 / before),
            f"{_ndcg(places).mean():.4f}",
            paired_difference(_ndcg(places), _ndcg(before)),
        )
    table.caption = f"{len(before):,} views; a category has {result.mean_length:.0f} products on average"
    console.print(table)


def _ndcg(places: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the NDCG of lists with one relevant product: 1 / log2(1 + place)."""
    gains: NDArray[np.float64] = 1 / np.log2(1 + places)
    return gains


def _listings(market: SimulatedHistory) -> _Listings:
    products = market.world.products
    hits = [
        Hit(str(code), 0, str(products.seller[code]), str(products.category[code]), int(price))
        for code, price in enumerate(products.price_minor)
    ]
    of_category: dict[str | None, list[Hit]] = defaultdict(list)
    for hit in reversed(hits):  # the simulator lists products in the order of their codes
        of_category[hit.category].append(hit)
    return _Listings({hit.product_id: hit for hit in hits}, of_category)


def _cases(
    log: ViewLog, listings: _Listings, plan: ListingsBenchPlan
) -> Iterator[tuple[str, Mapping[str, Sequence[str]]]]:
    """Yield the product that is viewed next, and its category in each order, of visitors with a history."""
    count = len(log.products)
    rows, decay = trained_rows(log, int(count * TRAINED_SHARE), plan.model)
    first = int(count * (TRAINED_SHARE + LIVE_SHARE))
    chosen = set(np.linspace(first, count - 1, plan.cases).astype(int).tolist())
    covisits, recent = CoVisits(), defaultdict[int, dict[str, float]](dict)
    events = zip(log.visitors, log.visits, log.products, log.times, strict=True)
    for number, (visitor, visit, code, time_s) in enumerate(events):
        product, viewed = str(code), recent[visitor]
        window = listings.of_category[listings.hit[product].category][:WINDOW]
        is_case = number in chosen and viewed and product not in viewed
        if is_case and any(hit.product_id == product for hit in window):
            newest, weighted = history(viewed, {}, {}), seeds(viewed, {})
            neighbours = _neighbours(
                window,
                (weighted, live_rows(covisits, weighted, SUPPORT, time_s)),
                (fold_in_seeds(newest, decay), rows),
            )
            unit = covisit_unit(time_s)
            interest = {
                each.product_id: covisits.interest.get(each.product_id, 0.0) / unit for each in window
            }
            taste = Taste.of(neighbours, [listings.hit[each] for each in newest])
            orders = {
                "popular first, for everybody": by_taste(window, Taste(), interest),
                "neighbours alone": by_taste(window, Taste(neighbours), {}),
                "neighbours and popularity": by_taste(window, Taste(neighbours), interest),
                "personal": by_taste(window, taste, interest),
            }
            lists = {name: [placed.hit.product_id for placed in order] for name, order in orders.items()}
            yield product, {NEWEST: [hit.product_id for hit in window], **lists}
        covisits.touch(str(visit), product, time_s)
        viewed.pop(product, None)
        viewed[product] = time_s
        while len(viewed) > MAX_RECENT:
            del viewed[next(iter(viewed))]


Weighted = tuple[Sequence[Seed], Mapping[str, Neighbours]]
"""The products of a visitor with their weights, and the neighbours of each."""


def _neighbours(window: Sequence[Hit], live: Weighted, trained: Weighted) -> dict[str, float]:
    """Return the blended scores of the products of a list, as `PersonalListings` computes them."""
    proposals = {
        source: neighbour_proposals("similar", weighted, rows, 2 * SCORED, ())
        for source, (weighted, rows) in (("item_neighbours", live), ("trained_neighbours", trained))
    }
    listed = {hit.product_id for hit in window}
    every = blend(proposals, DEFAULT_WEIGHTS["home"], sum(map(len, proposals.values())))
    return {one.product_id: one.score for one in every if one.product_id in listed}
