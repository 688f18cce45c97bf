"""Full hours in which products that sell were sold out, and an estimate of what was not sold then."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from audit.seller_metrics.figures import SourceMonths

_HOUR_MS = 3_600_000
_PACE_HOURS = _LONGEST_HOURS = 28 * 24
_LEAST_HOURS_IN_STOCK = 24


def add(rows: Iterable[Mapping[str, Any]], months: SourceMonths) -> None:
    """Add the rows of the query `stock_hours`: changes of stock, sold and cancelled lines, and the clock."""
    changes: dict[tuple[str, str], dict[int, tuple[int, int]]] = defaultdict(dict)
    sold: dict[tuple[str, str], list[tuple[int, int, int]]] = defaultdict(list)
    now_ms = 0
    for row in rows:
        product = row["seller_id"], row["product_id"]
        if row["kind"] == "stock":
            changes[product][row["version"]] = row["at_ms"], row["units"]
            now_ms = row["now_ms"]
        else:
            sold[product].append((row["at_ms"] // _HOUR_MS, row["units"], row["amount"]))
    for (seller_id, product_id), versions in changes.items():
        levels = [versions[version] for version in sorted(versions)]
        for hour, units, amount in _hours(levels, sold[seller_id, product_id], _ceil(now_ms)):
            sums = months.at(seller_id, hour * _HOUR_MS).sums
            sums["hours"] += 1
            sums["lost_units"] += units
            sums["lost"] += amount


def _hours(
    levels: list[tuple[int, int]], sold: list[tuple[int, int, int]], now_hour: int
) -> Iterable[tuple[int, int, int]]:
    """Yield each hour in which a product was sold out, with the units and the amount not sold until then."""
    in_stock_hours: set[int] = set()
    out_hours: list[list[int]] = []
    hour = first_hour = _ceil(levels[0][0])
    for number, (_, available) in enumerate(levels):
        until = max(hour, _ceil(levels[number + 1][0])) if number + 1 < len(levels) else now_hour
        if available > 0:
            in_stock_hours.update(range(hour, until))
            out_hours.append([])
        else:
            out_hours[-1:] = [[*(out_hours[-1] if out_hours else []), *range(hour, until)]]
        hour = max(hour, until)
    for outage in filter(None, out_hours):
        started = outage[0]
        paced_from = max(started - _PACE_HOURS, first_hour)
        before = [each for each in sold if paced_from <= each[0] < started]
        units, amount = sum(each[1] for each in before), sum(each[2] for each in before)
        if units <= 0:
            continue
        in_stock = len(in_stock_hours.intersection(range(paced_from, started)))
        if in_stock < _LEAST_HOURS_IN_STOCK:
            units = amount = 0
        for passed, hour in enumerate(outage[:_LONGEST_HOURS], start=1):
            yield (
                hour,
                _share(units, passed, in_stock) - _share(units, passed - 1, in_stock),
                _share(amount, passed, in_stock) - _share(amount, passed - 1, in_stock),
            )


def _share(sold: int, hours: int, in_stock: int) -> int:
    """Return what is sold in some hours at the pace of the hours in stock, rounded half up."""
    return (2 * sold * hours + in_stock) // (2 * in_stock) if sold else 0


def _ceil(moment_ms: int) -> int:
    """Return the number of the first full hour at or after a moment."""
    return -(-moment_ms // _HOUR_MS)
