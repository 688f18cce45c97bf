"""What sellers earned, by how far each order is now."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from audit.seller_metrics.earning_lines import commission_minor
from audit.seller_metrics.figures import SourceMonths

_STEP = "step_"


def add(rows: Iterable[Mapping[str, Any]], months: SourceMonths) -> None:
    """Add the rows of the query `earning_stages`: lines, and steps of parcels."""
    lines: list[Mapping[str, Any]] = []
    steps: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
    for row in rows:
        if row["kind"].startswith(_STEP):
            steps[row["seller_id"], row["order_id"]].add(row["kind"].removeprefix(_STEP))
        else:
            lines.append(row)
    for line in lines:
        done = steps[line["seller_id"], line["order_id"]]
        if "cancelled" in done:
            continue
        stage = "delivered" if "delivered" in done else "on_the_way" if "shipped" in done else "to_ship"
        months.at(line["seller_id"], line["at_ms"]).sums[f"earned_{stage}"] += _earned(line)


def _earned(line: Mapping[str, Any]) -> int:
    """Return what a line adds to what the seller is owed."""
    amount: int = line["amount"]
    if line["kind"] == "refunded":
        return -amount
    owed = amount + int(line["shipping"]) - commission_minor(amount, line["commission_bp"])
    return owed if line["kind"] == "sold" else -owed
