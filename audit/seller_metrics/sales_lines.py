"""What was sold, cancelled and returned, by the time of the order."""

from collections.abc import Iterable, Mapping
from typing import Any

from audit.seller_metrics.figures import SourceMonths


def add(lines: Iterable[Mapping[str, Any]], months: SourceMonths) -> None:
    """Add the lines of the query `sales_lines`."""
    for line in lines:
        month = months.at(line["seller_id"], line["placed_ms"])
        sums, net = month.sums, line["gross"] - line["discount"]
        if line["kind"] == "sold":
            month.counted["orders"].add(line["order_id"])
            for name in ("units", "gross", "discount", "shipping", "tax"):
                sums[name] += line[name]
            sums["revenue"] += net
        elif line["kind"] == "cancelled":
            month.counted["cancelled_orders"].add(line["order_id"])
            sums["cancelled_units"] += line["units"]
            sums["cancelled_gross"] += line["gross"]
            sums["cancelled_discount"] += line["discount"]
            sums["cancelled_shipping"] += line["shipping"]
            sums["cancelled_tax"] += line["tax"]
            sums["revenue"] -= net
        else:
            sums["returned_units"] += line["units"]
            sums["returned"] += line["refund"]
            sums["revenue"] -= line["refund"]
