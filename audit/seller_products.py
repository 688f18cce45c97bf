"""What followed the price changes of sellers, and which of their products are bought together. Pure.

The plainest computation from facts, with which the audit compares the queries of the API.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import combinations
from typing import Any

from audit.reference.arithmetic import DAY_MS, minute

Fact = Mapping[str, Any]
Offer = tuple[str, str]
"""Seller and product."""


def price_changes(
    listings: Iterable[Fact],
    lines: Iterable[Fact],
    views: Iterable[Fact],
    *,
    currency: str,
    days: int,
    until_ms: int,
) -> Iterator[dict[str, Any]]:
    """Yield every price change with what was sold and viewed in at most `days` days before and after it."""
    sold, seen = _by_offer(lines), _by_offer(views)
    for offer, steps in _by_offer(listings).items():
        turns = list(_turns(sorted(steps, key=lambda step: (step["at_ms"], step["event_id"]))))
        for number, (before, step) in enumerate(turns):
            if (
                before is None
                or not (before["is_listed"] and step["is_listed"])
                or {before["currency"], step["currency"]} != {currency}
            ):
                continue
            at = minute(step["at_ms"])
            lengths = [at - minute(turns[number - 1][1]["at_ms"]), minute(until_ms) - at]
            if number + 1 < len(turns):
                lengths.append(minute(turns[number + 1][1]["at_ms"]) - at)
            length = max(0, min(days, *(each // DAY_MS for each in lengths)))
            figures = {"old_price": before["price"], "new_price": step["price"], "days": length}
            for side, first in (("before", at - length * DAY_MS), ("after", at)):
                figures |= _window(side, sold[offer], seen[offer], first, first + length * DAY_MS)
            yield {"seller_id": offer[0], "product_id": offer[1], "changed_ms": step["at_ms"], **figures}


def _turns(steps: Sequence[Fact]) -> Iterator[tuple[Fact | None, Fact]]:
    """Yield the steps that change a price, or begin or end a listing, each with the step before."""
    before: Fact | None = None
    for step in steps:
        was_listed = bool(before and before["is_listed"])
        differs = before is not None and (before["price"], before["currency"]) != (
            step["price"],
            step["currency"],
        )
        if bool(step["is_listed"]) != was_listed or (step["is_listed"] and differs):
            yield before, step
        before = step


def _window(
    side: str, lines: Sequence[Fact], views: Sequence[Fact], first_ms: int, end_ms: int
) -> dict[str, int]:
    own = [line for line in lines if first_ms <= line["at_ms"] < end_ms]
    sign = {"sold": 1, "cancelled": -1}
    orders = {(line["kind"], line["order_id"]) for line in own}
    return {
        f"orders_{side}": sum(sign[kind] for kind, _ in orders),
        f"units_{side}": sum(sign[line["kind"]] * line["units"] for line in own),
        f"revenue_{side}": sum(sign[line["kind"]] * line["net"] for line in own),
        f"sessions_{side}": len({view["session_id"] for view in views if first_ms <= view["at_ms"] < end_ms}),
    }


def pairs(lines: Iterable[Fact], *, min_orders: int, max_products: int) -> Iterator[dict[str, Any]]:
    """Yield the pairs of products that were in the same orders of a seller, which were not cancelled."""
    baskets: dict[tuple[str, str], set[str]] = defaultdict(set)
    cancelled = set()
    for line in lines:
        order = line["seller_id"], line["order_id"]
        if line["kind"] == "sold":
            baskets[order].add(line["product_id"])
        else:
            cancelled.add(order)
    every: Counter[str] = Counter()
    single: Counter[Offer] = Counter()
    together: Counter[tuple[str, str, str]] = Counter()
    for (seller_id, order_id), products in baskets.items():
        if (seller_id, order_id) in cancelled:
            continue
        every[seller_id] += 1
        single.update((seller_id, product) for product in products)
        if len(products) <= max_products:
            together.update((seller_id, *pair) for pair in combinations(sorted(products), 2))
    for (seller_id, product_a, product_b), count in together.items():
        if count >= min_orders:
            yield {
                "seller_id": seller_id,
                "product_a": product_a,
                "product_b": product_b,
                "together": count,
                "orders_a": single[seller_id, product_a],
                "orders_b": single[seller_id, product_b],
                "orders": every[seller_id],
            }


def _by_offer(facts: Iterable[Fact]) -> dict[Offer, list[Fact]]:
    found: dict[Offer, list[Fact]] = defaultdict(list)
    for fact in facts:
        found[fact["seller_id"], fact["product_id"]].append(fact)
    return found
