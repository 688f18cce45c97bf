"""What a live visit does, asks and knows, as values; and visits as they are planned."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from producers.simulator.visits import Views, Visits

Context = Literal["home", "product", "cart"]


@dataclass(frozen=True)
class Tell:
    """A browsing event, without its id and time."""

    at_ms: int
    event: dict[str, Any]


@dataclass(frozen=True)
class Ask:
    """Recommendations are wanted; the answer is `Shown`, or None when there is none."""

    at_ms: int
    visitor: str
    context: Context
    product_id: str | None


@dataclass(frozen=True)
class Buy:
    """The cart is checked out: product index → units."""

    at_ms: int
    shopper: int
    session_id: str
    units: dict[int, int]


Step = Tell | Ask | Buy


@dataclass(frozen=True)
class Item:
    """A recommended product as the API gives it."""

    product_id: str
    seller_id: str | None
    score: float | None
    source: str | None


@dataclass(frozen=True)
class Shown:
    """A recommended list as the API gives it."""

    recommendation_id: str
    strategy: str
    items: list[Item]


@dataclass(frozen=True)
class View:
    """One product that is looked at; `list_id` is the recommendation that led there."""

    product: int
    source: int
    adds: bool
    removes: bool
    quantity: int
    list_id: str | None = None
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


def planned(visits: Visits, views: Views) -> Iterator[Planned]:
    """Visits drawn together, one by one."""
    bounds = np.searchsorted(views.visit, np.arange(len(visits) + 1)).tolist()
    is_first = np.diff(views.visit, prepend=-1) > 0
    rows = [
        (at, View(product, source, adds, removes, quantity, first=first))
        for at, product, source, adds, removes, quantity, first in zip(
            views.at.tolist(), views.product.tolist(), views.source.tolist(), views.adds.tolist(),
            views.removes.tolist(), views.quantity.tolist(), is_first.tolist(), strict=True,
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
