"""Draws visits with their organic views. Recommendations are added to them later."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from producers.feed.events import Millis
from producers.simulator.decisions import DecisionModel
from producers.simulator.randomness import Floats, Index, choose_per_row, choose_weighted, hex_ids
from producers.simulator.searches import ViewSearches
from producers.simulator.world.tastes import draw_within

BoolArray = NDArray[np.bool_]

SOURCES = ("direct", "search", "category", "external", "recommendation")
"""The sources of views. `Views.source` has indices into it."""

DIRECT, SEARCH, CATEGORY, EXTERNAL, RECOMMENDATION = range(5)
NO_LIST = -1

GAP_MEDIAN_S, GAP_SIGMA = 12.0, 0.8
"""Seconds between two steps of a visit: log-normal."""

_FIRST_SOURCES = np.array([0.2, 0.35, 0.2, 0.25, 0.0])
_LATER_SOURCES = np.array([0.1, 0.45, 0.45, 0.0, 0.0])
_QUANTITIES = np.array([0.88, 0.09, 0.02, 0.01])


@dataclass(frozen=True)
class Visits:
    """n visits.

    `demand` (n, categories) is the calendar's factor on preferences. `recommended` says whether
    recommendations are shown, `checks_out` whether the shopper orders the cart's content at the end.
    """

    ids: list[str]
    shopper: Index
    started: Millis
    demand: Floats
    registered: BoolArray
    signed_in: BoolArray
    recommended: BoolArray
    checks_out: BoolArray

    def __len__(self) -> int:
        return len(self.ids)


@dataclass(frozen=True)
class Views:
    """Views in the order of visits, then of time; `visit`, `product` and `source` are indices.

    `list_index` is the index of the recommended list that led to the view, or NO_LIST. `adds` says whether
    `quantity` units are added to the cart, `removes` whether they are removed again.
    """

    visit: Index
    at: Millis
    product: Index
    source: Index
    list_index: Index
    adds: BoolArray
    removes: BoolArray
    quantity: Index

    def __len__(self) -> int:
        return len(self.visit)


def draw_visits(
    decisions: DecisionModel, rng: np.random.Generator, started: Millis, progress: Floats | None = None
) -> Visits:
    """Draw a visit at each of these times. The shopper is drawn in proportion to activity.

    `progress` (n,) is the share of the history before each visit. A shopper who registers later does not buy.
    None means that all shoppers are registered.
    """
    n, behaviour, shoppers = len(started), decisions.behaviour, decisions.world.shoppers
    shopper = choose_weighted(rng, shoppers.activity, n)
    registered = np.ones(n, bool) if progress is None else shoppers.joins[shopper] <= progress
    return Visits(
        ids=hex_ids(rng, n),
        shopper=shopper,
        started=started,
        demand=decisions.calendar.demand(started),
        registered=registered,
        signed_in=registered & (rng.random(n) < behaviour.signed_in_share),
        recommended=rng.random(n) >= behaviour.holdout_share,
        checks_out=rng.random(n) < decisions.checkout_probability(shopper, registered),
    )


def draw_organic_views(decisions: DecisionModel, rng: np.random.Generator, visits: Visits) -> Views:
    """Draw the organic views of the visits: 1 + Geometric views each, independent of one another."""
    counts = rng.geometric(1 / decisions.behaviour.views_mean, len(visits))
    visit = np.repeat(np.arange(len(visits)), counts)
    first = np.cumsum(counts) - counts
    is_first = np.zeros(len(visit), bool)
    is_first[first] = True
    gaps = draw_gaps(rng, len(visit))
    elapsed = np.cumsum(gaps)
    at = visits.started[visit] + elapsed - np.repeat(elapsed[first] - gaps[first], counts)
    source = np.where(
        is_first,
        choose_weighted(rng, _FIRST_SOURCES, len(visit)),
        choose_weighted(rng, _LATER_SOURCES, len(visit)),
    )
    shopper, shoppers = visits.shopper[visit], decisions.world.shoppers
    category = choose_per_row(rng, (shoppers.preference[visits.shopper] * visits.demand)[visit])
    product = draw_within(decisions.world.tastes, shoppers, rng, shopper, category)
    return draw_views(decisions, rng, visits, visit, at, product, source, np.full(len(visit), NO_LIST))


def draw_views(
    decisions: DecisionModel,
    rng: np.random.Generator,
    visits: Visits,
    visit: Index,
    at: Millis,
    product: Index,
    source: Index,
    list_index: Index,
) -> Views:
    """Draw whether each viewed product is added to the cart and removed again, and how many units."""
    n, behaviour = len(visit), decisions.behaviour
    return Views(
        visit,
        at,
        product,
        source,
        list_index,
        adds=rng.random(n) < decisions.add_probability(visits.shopper[visit], product, at),
        removes=rng.random(n) < behaviour.remove_share,
        quantity=draw_quantities(rng, n),
    )


def draw_view_searches(
    decisions: DecisionModel, rng: np.random.Generator, visits: Visits, views: Views
) -> ViewSearches:
    """Draw the searches that led to views, and those without a result before some of them."""
    searched = np.flatnonzero(views.source == SEARCH)
    found = decisions.searches.draw(rng, visits.shopper[views.visit[searched]], views.product[searched])
    return ViewSearches(searched, found, decisions.searches.draw_empty(rng, found))


def draw_gaps(rng: np.random.Generator, count: int) -> Millis:
    """Draw the times between steps of a visit, in milliseconds, at least one second each."""
    seconds = rng.lognormal(np.log(GAP_MEDIAN_S), GAP_SIGMA, count)
    return (1000 * np.clip(seconds, 1, 600)).astype(np.int64)


def draw_quantities(rng: np.random.Generator, count: int) -> Index:
    """Draw the numbers of units that are added to the cart at once, mostly one."""
    return choose_weighted(rng, _QUANTITIES, count) + 1


def merge_views(first: Views, second: Views) -> Views:
    """Merge views in the order of visits, then of time.

    No two views of a visit get the same millisecond, because event ids are derived from visit, product and
    time.
    """
    visit, at = np.concatenate([first.visit, second.visit]), np.concatenate([first.at, second.at])
    order = np.lexsort((at, visit))

    def column(name: str) -> NDArray[np.generic]:
        joined: NDArray[np.generic] = np.concatenate([getattr(first, name), getattr(second, name)])[order]
        return joined

    names = ("product", "source", "list_index", "adds", "removes", "quantity")
    visit, at = visit[order], at[order]
    while len(tied := 1 + np.flatnonzero((np.diff(visit) == 0) & (np.diff(at) < 1))):
        at[tied] = at[tied - 1] + 1
    return Views(visit, at, *(column(name) for name in names))  # type: ignore[arg-type]
