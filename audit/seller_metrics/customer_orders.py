"""The orders of each customer of a seller, by the time of the order."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from audit.seller_metrics.figures import SourceMonths

_MINUTE_MS = 60_000


def add(orders: Iterable[Mapping[str, Any]], months: SourceMonths) -> None:
    """Add the rows of the query `customer_orders`, the orders of a customer in the order of their minutes.

    Orders that were cancelled are left out.
    """
    of_customer: dict[tuple[str, str], list[tuple[int, str, int]]] = defaultdict(list)
    for order in orders:
        if order["cancelled"]:
            continue
        moment = order["placed_ms"] // _MINUTE_MS * _MINUTE_MS
        of_customer[order["seller_id"], order["shopper_id"]].append(
            (moment, order["order_id"], order["counts"])
        )
    for (seller_id, shopper_id), placed in of_customer.items():
        previous_ms = 0
        for number, (moment, _, counts) in enumerate(sorted(placed), start=1):
            before_ms, previous_ms = previous_ms, moment
            if not counts:  # in another currency; later orders are not the first one all the same
                continue
            month = months.at(seller_id, moment)
            month.sums["orders"] += 1
            month.sums["first_orders"] += number == 1
            month.counted["customers"].add(shopper_id)
            if number > 1:
                month.counted["repeating"].add(shopper_id)
                month.values["since_previous"].append(moment - before_ms)
