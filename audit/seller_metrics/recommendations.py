"""Recommended items and clicks on them, and the order lines that clicks led to."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from audit.seller_metrics.figures import SourceMonths

LEADS_TO_ORDER_MS = 24 * 3_600_000


def add(rows: Iterable[Mapping[str, Any]], months: SourceMonths) -> None:
    """Add the rows of the query `recommendations`."""
    clicked: set[tuple[str, str]] = set()
    clicks: dict[tuple[str, str], list[int]] = defaultdict(list)
    others = []
    for row in rows:
        if row["kind"] == "clicked":
            clicked.add((row["id"], row["product_id"]))
            if row["shopper_id"]:
                clicks[row["shopper_id"], row["product_id"]].append(row["at_ms"])
        else:
            others.append(row)
    for row in others:
        month = months.at(row["seller_id"], row["at_ms"])
        if row["kind"] == "shown":
            month.sums["impressions"] += 1
            month.sums["clicks"] += (row["id"], row["product_id"]) in clicked
        elif any(
            0 <= row["at_ms"] - at < LEADS_TO_ORDER_MS for at in clicks[row["shopper_id"], row["product_id"]]
        ):
            month.counted["attributed_orders"].add(row["id"])
            month.sums["attributed"] += row["amount"]
