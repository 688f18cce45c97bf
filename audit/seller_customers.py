"""Computes the cohorts and the segments of every seller's customers in the plainest way."""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from audit.reference.arithmetic import half_up, ratio
from audit.reference.customers import orders_of_customers
from audit.reference.shop import Shop, after_discount, given_back, lines_of

Row = dict[str, Any]
MonthOf = Callable[[int], str]
"""Returns the shop's month, such as `2018-03`, that contains a moment in Unix milliseconds."""

_FEWEST = 5
"""With fewer customers there are no segments."""

_HIBERNATING = ["hibernating", "hibernating", "at_risk", "at_risk", "cannot_lose"]
GRID = {
    1: _HIBERNATING,
    2: _HIBERNATING,
    3: ["about_to_sleep", "about_to_sleep", "need_attention", "loyal", "loyal"],
    4: ["promising", "potential_loyalists", "potential_loyalists", "loyal", "loyal"],
    5: ["new", "potential_loyalists", "potential_loyalists", "champions", "champions"],
}
"""Score of recency → the segment for each value from 1 to 5."""


@dataclass(frozen=True, order=True)
class PlacedOrder:
    """A customer's order at one seller. It counts if it is in the shop's currency."""

    minute_ms: int
    order_id: str
    counts: bool
    net_sales: int


Customers = Mapping[tuple[str, str], list[PlacedOrder]]
"""(seller, shopper) → their orders that were not cancelled, the oldest first."""


def customers_of(shop: Shop) -> Customers:
    """Return the customers of all sellers."""
    net: dict[tuple[str, str], int] = defaultdict(int)
    for sign, orders in ((1, shop.sales()), (-1, shop.cancelled_sales())):
        for order, line in lines_of(orders):
            net[line["seller_id"], order["order_id"]] += sign * after_discount(line)
    for refund, line in lines_of(shop.refunds()):
        if refund["placed_at"] is not None:
            net[refund["seller_id"], refund["order_id"]] -= given_back(line)
    return {
        (seller_id, shopper_id): [
            PlacedOrder(order.at_ms, order.order_id, order.is_counted, net[seller_id, order.order_id])
            for order in orders
        ]
        for (seller_id, shopper_id), orders in orders_of_customers(shop, lambda seller_id: seller_id).items()
    }


def cohorts(customers: Customers, month_of: MonthOf) -> list[Row]:
    """Return a row for each seller, cohort and month in which one of the cohort's customers ordered.

    `per_customer` is what the cohort bought up to that month, divided by all of its customers.
    """
    ordered: dict[tuple[str, str], dict[str, list[tuple[str, int]]]] = defaultdict(lambda: defaultdict(list))
    for (seller_id, shopper_id), placed in customers.items():
        if placed[0].counts:
            cohort = month_of(placed[0].minute_ms)
            for order in placed:
                if order.counts:
                    month = month_of(order.minute_ms)
                    ordered[seller_id, cohort][month].append((shopper_id, order.net_sales))
    rows = []
    for (seller_id, cohort), months in ordered.items():
        size, cumulated = len({shopper_id for shopper_id, _ in months[cohort]}), 0
        for month in sorted(months):
            returned = len({shopper_id for shopper_id, _ in months[month]})
            net_sales = sum(amount for _, amount in months[month])
            cumulated += net_sales
            rows.append(
                {
                    "seller_id": seller_id,
                    "cohort": cohort,
                    "month": month,
                    "customers": returned,
                    "orders": len(months[month]),
                    "net_sales": net_sales,
                    "retention": str(ratio(returned, size)),
                    "per_customer": half_up(cumulated, size),
                }
            )
    return rows


@dataclass(frozen=True)
class Scored:
    """A customer with the scores of recency, frequency and net sales."""

    scores: tuple[int, int, int]
    is_guest: bool
    orders: int
    net_sales: int

    @property
    def segment(self) -> str:
        """The segment of these scores."""
        recency, frequency, monetary = self.scores
        return GRID[recency][half_up(frequency + monetary, 2) - 1]


def scored(
    customers: Customers, registered: Collection[str], erased: Collection[str]
) -> Iterator[tuple[str, bool, list[Scored]]]:
    """Yield the customers of each seller, those who were erased (True) apart from the others."""
    groups: dict[tuple[str, bool], list[tuple[str, int, int, int]]] = defaultdict(list)
    for (seller_id, shopper_id), placed in customers.items():
        if own := [order for order in placed if order.counts]:
            values = own[-1].minute_ms, len(own), sum(order.net_sales for order in own)
            groups[seller_id, shopper_id in erased].append((shopper_id, *values))
    for (seller_id, is_erased), group in groups.items():
        ascending = [sorted(values) for values in list(zip(*group, strict=True))[1:]]
        yield (
            seller_id,
            is_erased,
            [
                Scored(
                    (_score(recency, ascending[0]), _score(orders, ascending[1]), _score(net, ascending[2])),
                    shopper_id not in registered,
                    orders,
                    net,
                )
                for shopper_id, recency, orders, net in group
            ],
        )


def by_scores(groups: Iterable[tuple[str, bool, list[Scored]]]) -> Iterator[Row]:
    """Yield a row for each seller and scores; the scores `000` have all customers together."""
    for seller_id, is_erased, group in groups:
        parts: dict[str, list[Scored]] = defaultdict(list)
        for customer in group:
            for scores in ("".join(map(str, customer.scores)), "000"):
                parts[scores].append(customer)
        for scores, part in parts.items():
            amounts = sorted(customer.net_sales for customer in part)
            yield {
                "seller_id": seller_id,
                "scores": f"erased {scores}" if is_erased else scores,
                **_sums(part),
                "guests": sum(customer.is_guest for customer in part),
                "median": amounts[len(amounts) * 50 // 100],
                "p90": amounts[len(amounts) * 90 // 100],
            }


def by_segment(groups: Iterable[tuple[str, bool, list[Scored]]]) -> Iterator[Row]:
    """Yield a row for each seller and segment that has customers, one for all, and one for those erased."""
    for seller_id, is_erased, group in groups:
        if is_erased:
            gone = {"customers": len(group), "orders": 0, "net_sales": 0}
            yield {"seller_id": seller_id, "segment": "erased", **gone}
            continue
        parts: dict[str, list[Scored]] = defaultdict(list, all=group)
        for customer in group if len(group) >= _FEWEST else ():
            parts[customer.segment].append(customer)
        for name, part in parts.items():
            yield {"seller_id": seller_id, "segment": name, **_sums(part)}


def _sums(part: list[Scored]) -> Row:
    return {
        "customers": len(part),
        "orders": sum(customer.orders for customer in part),
        "net_sales": sum(customer.net_sales for customer in part),
    }


def _score(value: int, ascending: list[int]) -> int:
    return 1 + 5 * bisect_left(ascending, value) // len(ascending)
