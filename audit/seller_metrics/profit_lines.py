"""What sellers earned after the cost of what they sold, by the time at which it was booked."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from audit.seller_metrics.earning_lines import commission_minor
from audit.seller_metrics.figures import SourceMonths

_SIGN = {"sold": 1, "cancelled": -1, "refunded": -1}


def add(rows: Iterable[Mapping[str, Any]], months: SourceMonths) -> None:
    """Add the rows of the query `profit_lines`: booked lines, and every cost that was ever set."""
    newest: dict[tuple[str, str, int], tuple[int, int | None]] = {}
    lines = []
    for row in rows:
        if row["kind"] == "cost":
            key = row["seller_id"], row["product_id"], row["at_ms"]
            if key not in newest or row["version"] > newest[key][0]:
                newest[key] = row["version"], row["amount"] if row["counts"] else None
        else:
            lines.append(row)
    costs: dict[tuple[str, str], list[tuple[int, int]]] = defaultdict(list)
    for (seller_id, product_id, valid_from_ms), (_, unit_cost) in newest.items():
        if unit_cost is not None:
            costs[seller_id, product_id].append((valid_from_ms, unit_cost))
    for line in lines:
        valid = [
            each for each in costs[line["seller_id"], line["product_id"]] if each[0] <= line["placed_ms"]
        ]
        _add_line(line, max(valid)[1] if valid else None, months.at(line["seller_id"], line["at_ms"]).sums)


def _add_line(line: Mapping[str, Any], unit_cost: int | None, sums: dict[str, int]) -> None:
    sign, units = _SIGN[line["kind"]], line["units"]
    income = sign * (line["amount"] + line["shipping"])
    kept = 0 if line["kind"] == "refunded" else sign * commission_minor(line["amount"], line["commission_bp"])
    sums["booked_units"] += units
    if unit_cost is None:
        sums["units_without_cost"] += units
        sums["earned_without_cost"] += income - kept
    else:
        sums["units_with_cost"] += units
        sums["earned_with_cost"] += income - kept
        sums["income_with_cost"] += income
        sums["cost"] += sign * units * unit_cost
