"""The steps of a live visit as values, and the plans of visits."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import numpy as np

from producers.simulator.decisions import DecisionModel
from producers.simulator.searches import Wanted
from producers.simulator.visits import Views, Visits, draw_view_searches

Surface = Literal["home", "product", "cart"]


class EmitEvent(NamedTuple):
    """A browsing event, without its id and time."""

    at_ms: int
    event: dict[str, Any]


class RequestRecommendations(NamedTuple):
    """Request recommendations. The runner sends back a RecommendedList, or None if there is none."""

    at_ms: int
    visitor: str
    surface: Surface
    product_id: str | None


class ChangeCart(NamedTuple):
    """Change the units of a product in a cart. `visitor` is its owner: a shopper's id, or that of a visit.

    The quantities are those of the visit. The cart may have further units from an earlier one.
    """

    at_ms: int
    visitor: str
    session_id: str
    product_id: str
    seller_id: str
    quantity_before: int
    quantity: int
    recommendation_id: str | None


class SubmitCart(NamedTuple):
    """Check out the cart: product index → units."""

    at_ms: int
    shopper: int
    session_id: str
    units: dict[int, int]


Step = EmitEvent | RequestRecommendations | ChangeCart | SubmitCart


class RecommendedItem(NamedTuple):
    """A recommended product as the API returns it."""

    product_id: str
    seller_id: str | None
    score: float | None
    source: str | None


class RecommendedList(NamedTuple):
    """A recommended list as the API returns it."""

    recommendation_id: str
    strategy: str
    items: list[RecommendedItem]
    model_version: str | None = None
    experiment: str | None = None
    variant: str | None = None


class PerformedSearch(NamedTuple):
    """A search; `page` are the products found, best first. `wanted` is what the shopper had in mind."""

    search_id: str
    query: str
    result_count: int
    page: list[int]
    wanted: Wanted


class PlannedView(NamedTuple):
    """One product view. If a recommended list or a search led to it, that is `list_id` or the last search."""

    product: int
    source: int
    adds: bool
    removes: bool
    quantity: int
    list_id: str | None = None
    searches: tuple[PerformedSearch, ...] = ()
    first: bool = False


@dataclass
class PlannedVisit:
    """The plan of a visit: its shopper, and its organic views with their times."""

    session_id: str
    shopper: int
    signed_in: bool
    recommended: bool
    checks_out: bool
    started_ms: int
    views: list[tuple[int, PlannedView]]


def plan_visits(
    decisions: DecisionModel, rng: np.random.Generator, visits: Visits, views: Views
) -> Iterator[PlannedVisit]:
    """Yield the plans of visits that were drawn together."""
    bounds = np.searchsorted(views.visit, np.arange(len(visits) + 1)).tolist()
    is_first = np.diff(views.visit, prepend=-1) > 0
    rows = [
        (at, PlannedView(product, source, adds, removes, quantity, None, searches, first))
        for at, product, source, adds, removes, quantity, searches, first in zip(
            views.at.tolist(), views.product.tolist(), views.source.tolist(), views.adds.tolist(),
            views.removes.tolist(), views.quantity.tolist(),
            _draw_view_searches(decisions, rng, visits, views), is_first.tolist(), strict=True,
        )
    ]  # fmt: skip
    for number, session_id in enumerate(visits.ids):
        yield PlannedVisit(
            session_id,
            int(visits.shopper[number]),
            bool(visits.signed_in[number]),
            bool(visits.recommended[number]),
            bool(visits.checks_out[number]),
            int(visits.started[number]),
            rows[bounds[number] : bounds[number + 1]],
        )


def _draw_view_searches(
    decisions: DecisionModel, rng: np.random.Generator, visits: Visits, views: Views
) -> list[tuple[PerformedSearch, ...]]:
    """Return for each view its searches: none, one, or one that finds nothing and its correction."""
    drawn = draw_view_searches(decisions, rng, visits, views)
    found, empty = drawn.found, drawn.empty
    misspelt = {
        row: PerformedSearch(search_id, query, 0, [], found.wanted[row])
        for row, search_id, query in zip(empty.before.tolist(), empty.ids, empty.queries, strict=True)
    }
    searches: list[tuple[PerformedSearch, ...]] = [()] * len(views)
    rows = zip(found.ids, found.queries, found.result_counts, found.pages, found.wanted, strict=True)
    for number, (view, fields) in enumerate(zip(drawn.views.tolist(), rows, strict=True)):
        search = PerformedSearch(*fields)
        searches[view] = (misspelt[number], search) if number in misspelt else (search,)
    return searches
