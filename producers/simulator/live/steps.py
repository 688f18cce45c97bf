"""What a live visit does, asks and knows, as values; and visits as they are planned."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import numpy as np

from producers.simulator.choices import Choices
from producers.simulator.searches import search
from producers.simulator.visits import SEARCH, Views, Visits

Context = Literal["home", "product", "cart"]


class Tell(NamedTuple):
    """A browsing event, without its id and time."""

    at_ms: int
    event: dict[str, Any]


class Ask(NamedTuple):
    """Recommendations are wanted; the answer is `Shown`, or None when there is none."""

    at_ms: int
    visitor: str
    context: Context
    product_id: str | None


class Buy(NamedTuple):
    """The cart is checked out: product index → units."""

    at_ms: int
    shopper: int
    session_id: str
    units: dict[int, int]


Step = Tell | Ask | Buy


class Item(NamedTuple):
    """A recommended product as the API gives it."""

    product_id: str
    seller_id: str | None
    score: float | None
    source: str | None


class Shown(NamedTuple):
    """A recommended list as the API gives it."""

    recommendation_id: str
    strategy: str
    items: list[Item]


class Search(NamedTuple):
    """What was searched for; `page` are the products found."""

    search_id: str
    query: str
    result_count: int
    page: list[int]


class View(NamedTuple):
    """One product that is looked at; the recommendation `list_id` or the `search` led there, if one did."""

    product: int
    source: int
    adds: bool
    removes: bool
    quantity: int
    list_id: str | None = None
    search: Search | None = None
    first: bool = False


@dataclass
class Planned:
    """One visit before it begins: who, and what they would look at by themselves, with the moments."""

    session_id: str
    shopper: int
    signed_in: bool
    recommended: bool
    checks_out: bool
    started_ms: int
    views: list[tuple[int, View]]


def planned(choices: Choices, rng: np.random.Generator, visits: Visits, views: Views) -> Iterator[Planned]:
    """Visits drawn together, one by one."""
    bounds = np.searchsorted(views.visit, np.arange(len(visits) + 1)).tolist()
    is_first = np.diff(views.visit, prepend=-1) > 0
    rows = [
        (at, View(product, source, adds, removes, quantity, None, search, first))
        for at, product, source, adds, removes, quantity, search, first in zip(
            views.at.tolist(), views.product.tolist(), views.source.tolist(), views.adds.tolist(),
            views.removes.tolist(), views.quantity.tolist(), _searches(choices, rng, visits, views),
            is_first.tolist(), strict=True,
        )
    ]  # fmt: skip
    for number, session_id in enumerate(visits.ids):
        yield Planned(
            session_id,
            int(visits.shopper[number]),
            bool(visits.signed_in[number]),
            bool(visits.recommended[number]),
            bool(visits.checks_out[number]),
            int(visits.started[number]),
            rows[bounds[number] : bounds[number + 1]],
        )


def _searches(
    choices: Choices, rng: np.random.Generator, visits: Visits, views: Views
) -> list[Search | None]:
    """The search that led to each view, if one did."""
    found = np.flatnonzero(views.source == SEARCH)
    drawn = search(choices.world, rng, visits.shopper[views.visit[found]], views.product[found])
    searches: list[Search | None] = [None] * len(views)
    rows = zip(drawn.ids, drawn.queries, drawn.result_counts, drawn.pages.tolist(), strict=True)
    for row, of_row in zip(found.tolist(), rows, strict=True):
        searches[row] = Search(*of_row)
    return searches
