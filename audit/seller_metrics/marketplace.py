"""Plain computations of what the marketplace's metrics are made of, from the rows of those of sellers."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any
from zoneinfo import ZoneInfo

from audit.seller_metrics.figures import SellerMonths, SourceMonths

ALL_SELLERS = "*"
"""Stands for all sellers together where something has the id of a seller."""

Add = Callable[[Iterable[Mapping[str, Any]], SourceMonths], None]
Rows = Callable[[str], Iterable[Mapping[str, Any]]]
"""Returns the rows of the query of a source."""


def months_of_marketplace(
    sources: Mapping[str, Add], overlapping: frozenset[str], rows: Rows, zone: ZoneInfo
) -> SellerMonths:
    """Return the months of the marketplace.

    The figures of sellers are put together; what several of them have counted, such as an order, counts once.
    In `overlapping` sources, rows of several sellers are compared with each other, such as the orders of a
    shopper: they are computed as if all sellers were one.
    """
    months = SellerMonths(zone)
    for source, add in sources.items():
        found = rows(source)
        add(as_one_seller(found) if source in overlapping else found, months.of_source(source))
    return months.together(ALL_SELLERS)


def as_one_seller(rows: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return rows with one seller for all, each different one once. Rows without a seller keep none."""
    replaced = [{**row, "seller_id": row["seller_id"] and ALL_SELLERS} for row in rows]
    return [dict(content) for content in dict.fromkeys(tuple(row.items()) for row in replaced)]
