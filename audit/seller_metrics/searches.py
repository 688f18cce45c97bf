"""Searches of visitors, and clicks in their results."""

from collections.abc import Iterable, Mapping
from typing import Any

from audit.seller_metrics.figures import SourceMonths


def add(rows: Iterable[Mapping[str, Any]], months: SourceMonths) -> None:
    """Add the rows of the query `searches`."""
    for row in rows:
        month = months.at(row["seller_id"], row["at_ms"])
        if row["kind"] == "clicked":
            month.sums["clicks"] += 1
        else:
            month.counted["searches"].add(row["id"])
            month.sums["impressions"] += row["products"]
            if not row["results"]:
                month.counted["empty_searches"].add(row["id"])
