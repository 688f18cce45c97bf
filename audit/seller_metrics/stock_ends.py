"""What was sold of products whose stock is known, and their stock at the end of each month."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from audit.seller_metrics.figures import SourceMonths

_MINUTE_MS = 60_000
_DAYS_28_MS = 28 * 24 * 3_600_000


def add(rows: Iterable[Mapping[str, Any]], months: SourceMonths) -> None:
    """Add the rows of the query `stock_ends`: changes of stock, and sold and cancelled lines."""
    changes: dict[tuple[str, str], dict[int, tuple[int, int]]] = defaultdict(dict)
    sold: dict[tuple[str, str], list[tuple[int, int]]] = defaultdict(list)
    for row in rows:
        product = row["seller_id"], row["product_id"]
        if row["kind"] == "stock":
            changes[product][row["version"]] = row["at_ms"], max(row["units"], 0)
        else:
            sold[product].append((row["at_ms"] // _MINUTE_MS * _MINUTE_MS, row["units"]))
    for (seller_id, product_id), versions in changes.items():
        of_product = sold[seller_id, product_id]
        for at_ms, units in of_product:
            months.at(seller_id, at_ms).sums["units_sold"] += units
        levels = _in_order([versions[version] for version in sorted(versions)])
        for end_ms in months.month_ends(levels[0][0]):
            known = [available for at_ms, available in levels if at_ms < end_ms]
            if not known:
                continue
            sums = months.at(seller_id, end_ms - 1).sums
            sums["units_left"] += known[-1]
            sums["unit_days_left"] += 28 * known[-1]
            sums["recent_units"] += sum(
                units for at_ms, units in of_product if end_ms - _DAYS_28_MS <= at_ms < end_ms
            )


def _in_order(levels: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return levels in the order of their versions; none is from before the one that precedes it."""
    ordered: list[tuple[int, int]] = []
    for at_ms, available in levels:
        ordered.append((max(at_ms, ordered[-1][0]) if ordered else at_ms, available))
    return ordered
