"""What came back, by the time of the return, and what was paid back, by the time of the refund."""

from collections.abc import Iterable, Mapping
from typing import Any

from audit.seller_metrics.figures import SourceMonths


def add(lines: Iterable[Mapping[str, Any]], months: SourceMonths) -> None:
    """Add the lines of the query `return_lines`."""
    for line in lines:
        month = months.at(line["seller_id"], line["at_ms"])
        if line["kind"] == "returned":
            month.counted["returns"].add(line["return_id"])
            month.sums["returned_units"] += line["units"]
            month.sums["restocked_units"] += line["units"] if line["restocked"] else 0
            month.sums["requested"] += line["refund"]
        else:
            month.counted["refunds"].add(line["return_id"])
            month.sums["refunded_units"] += line["units"]
            month.sums["refunded"] += line["refund"]
