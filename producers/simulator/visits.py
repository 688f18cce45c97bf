"""Visits before anything is recommended in them: who comes, what they look at, what they want of it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from producers.feed.events import Millis
from producers.simulator.choices import Choices
from producers.simulator.draws import Floats, Index, hex_ids, pick, pick_of_rows
from producers.simulator.world.tastes import draw_within

Flags = NDArray[np.bool_]

SOURCES = ("direct", "search", "category", "external", "recommendation")
"""What leads to a view; `Views.source` is an index."""

DIRECT, SEARCH, CATEGORY, EXTERNAL, RECOMMENDATION = range(5)
NO_LIST = -1

GAP_MEDIAN_S, GAP_SIGMA = 12.0, 0.8
"""Time between two steps of a visit: log-normal."""

_FIRST_SOURCES = np.array([0.2, 0.35, 0.2, 0.25, 0.0])
_LATER_SOURCES = np.array([0.1, 0.45, 0.45, 0.0, 0.0])
_QUANTITIES = np.array([0.88, 0.09, 0.02, 0.01])


@dataclass(frozen=True)
class Visits:
    """n visits. `demand` (n, categories) is what the calendar adds to tastes; `recommended` whether the visit
    is shown recommendations, `checks_out` whether it would order what is in its cart at the end."""

    ids: list[str]
    shopper: Index
    started: Millis
    demand: Floats
    registered: Flags
    signed_in: Flags
    recommended: Flags
    checks_out: Flags

    def __len__(self) -> int:
        return len(self.ids)


@dataclass(frozen=True)
class Views:
    """Views in the order of visits, then of time: `visit` and `product` are indices, `source` one of SOURCES.

    `of_list` is the index of the recommended list that led there, or NO_LIST. `adds`: the product goes into
    the cart, `quantity` of it, and `removes` says that it is taken out again.
    """

    visit: Index
    at: Millis
    product: Index
    source: Index
    of_list: Index
    adds: Flags
    removes: Flags
    quantity: Index

    def __len__(self) -> int:
        return len(self.visit)


def arrive(
    choices: Choices, rng: np.random.Generator, started: Millis, progress: Floats | None = None
) -> Visits:
    """A visit at each of these moments, by shoppers drawn by how often they come.

    `progress` (n,) is the share of the history that is over then: who joins later only looks around. None
    when everyone has joined.
    """
    n, behaviour, shoppers = len(started), choices.behaviour, choices.world.shoppers
    shopper = pick(rng, shoppers.activity, n)
    registered = np.ones(n, bool) if progress is None else shoppers.joins[shopper] <= progress
    return Visits(
        ids=hex_ids(rng, n),
        shopper=shopper,
        started=started,
        demand=choices.calendar.demand(started),
        registered=registered,
        signed_in=registered & (rng.random(n) < behaviour.signed_in_share),
        recommended=rng.random(n) >= behaviour.holdout_share,
        checks_out=rng.random(n) < choices.check_out(shopper, registered),
    )


def browse(choices: Choices, rng: np.random.Generator, visits: Visits) -> Views:
    """What the visits look at by themselves: 1 + Geometric views each, independent of one another."""
    counts = rng.geometric(1 / choices.behaviour.views_mean, len(visits))
    visit = np.repeat(np.arange(len(visits)), counts)
    first = np.cumsum(counts) - counts
    is_first = np.zeros(len(visit), bool)
    is_first[first] = True
    gaps = draw_gaps(rng, len(visit))
    elapsed = np.cumsum(gaps)
    at = visits.started[visit] + elapsed - np.repeat(elapsed[first] - gaps[first], counts)
    source = np.where(is_first, pick(rng, _FIRST_SOURCES, len(visit)), pick(rng, _LATER_SOURCES, len(visit)))
    shopper, shoppers = visits.shopper[visit], choices.world.shoppers
    category = pick_of_rows(rng, (shoppers.love[visits.shopper] * visits.demand)[visit])
    product = draw_within(choices.world.tastes, shoppers, rng, shopper, category)
    return decide(choices, rng, visits, visit, at, product, source, np.full(len(visit), NO_LIST))


def decide(
    choices: Choices,
    rng: np.random.Generator,
    visits: Visits,
    visit: Index,
    at: Millis,
    product: Index,
    source: Index,
    of_list: Index,
) -> Views:
    """Views with what the shoppers do with each product."""
    n, behaviour = len(visit), choices.behaviour
    return Views(
        visit,
        at,
        product,
        source,
        of_list,
        adds=rng.random(n) < choices.add(visits.shopper[visit], product, at),
        removes=rng.random(n) < behaviour.remove_share,
        quantity=draw_quantities(rng, n),
    )


def draw_gaps(rng: np.random.Generator, count: int) -> Millis:
    """Milliseconds between steps of a visit, at least a second each."""
    seconds = rng.lognormal(np.log(GAP_MEDIAN_S), GAP_SIGMA, count)
    return (1000 * np.clip(seconds, 1, 600)).astype(np.int64)


def draw_quantities(rng: np.random.Generator, count: int) -> Index:
    """Units that are put into the cart at once; mostly one."""
    return pick(rng, _QUANTITIES, count) + 1


def merged(first: Views, second: Views) -> Views:
    """Views of both, in the order of visits, then of time: those of one visit at a millisecond each, as their
    events' ids are made of visit, product and time."""
    visit, at = np.concatenate([first.visit, second.visit]), np.concatenate([first.at, second.at])
    order = np.lexsort((at, visit))

    def column(name: str) -> NDArray[np.generic]:
        joined: NDArray[np.generic] = np.concatenate([getattr(first, name), getattr(second, name)])[order]
        return joined

    names = ("product", "source", "of_list", "adds", "removes", "quantity")
    visit, at = visit[order], at[order]
    while len(tied := 1 + np.flatnonzero((np.diff(visit) == 0) & (np.diff(at) < 1))):
        at[tied] = at[tied - 1] + 1
    return Views(visit, at, *(column(name) for name in names))  # type: ignore[arg-type]
