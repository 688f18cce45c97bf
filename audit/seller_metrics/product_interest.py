"""Views of sellers' offers and orders of them, by the time at which they happened."""

from collections.abc import Iterable, Mapping
from typing import Any

from audit.seller_metrics.figures import SourceMonths


def add(rows: Iterable[Mapping[str, Any]], months: SourceMonths) -> None:
    """Add the rows of the query `product_interest`."""
    for row in rows:
        month = months.at(row["seller_id"], row["at_ms"])
        if row["kind"] == "viewed":
            month.sums["views"] += 1
            month.counted["sessions"].add(row["id"])
        else:
            month.counted["orders"].add(row["id"])
            month.sums["units"] += row["units"]
