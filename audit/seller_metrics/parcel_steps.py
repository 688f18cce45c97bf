"""What became of each seller's part of an order, by the time of each step."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from audit.seller_metrics.figures import SourceMonths

BY_SELLER = ("seller_request", "out_of_stock")


def add(steps: Iterable[Mapping[str, Any]], months: SourceMonths) -> None:
    """Add the rows of the query `parcel_steps`: of steps of one kind, the last one counts."""
    parcels: dict[tuple[str, str], dict[str, Any]] = defaultdict(dict)
    for step in steps:
        parcel = parcels[step["seller_id"], step["order_id"]]
        for name in (step["kind"], "promised", "reason"):
            value = step["at_ms"] if name == step["kind"] else step[name]
            if value:
                parcel[name] = max(value, parcel.get(name, value))
    for (seller_id, order_id), parcel in parcels.items():
        for kind in ("shipped", "delivered"):
            if kind in parcel:
                months.at(seller_id, parcel[kind]).sums[kind] += 1
        for kind in ("placed", "cancelled"):  # these are about the whole order
            if kind in parcel:
                months.at(seller_id, parcel[kind]).counted[kind].add(order_id)
        for measure, first, last in (
            ("to_confirm", "placed", "confirmed"),
            ("to_ship", "confirmed", "shipped"),
            ("to_deliver", "shipped", "delivered"),
            ("to_door", "placed", "delivered"),
        ):
            if first in parcel and last in parcel:
                took_ms = max(0, parcel[last] - parcel[first])
                months.at(seller_id, parcel[last]).values[measure].append(took_ms)
        if parcel.get("reason") in BY_SELLER:
            months.at(seller_id, parcel["cancelled"]).counted["cancelled_by_seller"].add(order_id)
        if "delivered" in parcel and "promised" in parcel:
            sums = months.at(seller_id, parcel["delivered"]).sums
            sums["promised"] += 1
            sums["late"] += months.day(parcel["delivered"]) > months.day(parcel["promised"])
