"""Price changes with what was sold before and after, and products bought together."""

from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from audit.seller_products import DAY_MS, pairs, price_changes
from serving.analytics import product_insights as presenter

NOON_MS = 1_527_854_400_000
UTC = ZoneInfo("UTC")


def listing(day: int, price: int, *, is_listed: int = 1, currency: str = "BRL") -> dict[str, Any]:
    at_ms = NOON_MS + day * DAY_MS
    offer = {"seller_id": "ana", "product_id": "pen", "event_id": f"e{at_ms}-{price}"}
    return {**offer, "at_ms": at_ms, "is_listed": is_listed, "currency": currency, "price": price}


def line(
    day: float, units: int = 1, order: str = "", kind: str = "sold", product: str = "pen"
) -> dict[str, Any]:
    at_ms = NOON_MS + int(day * DAY_MS)
    return {
        "kind": kind, "seller_id": "ana", "order_id": order or f"o{day}", "product_id": product,
        "at_ms": at_ms, "units": units, "net": units * 100,
    }  # fmt: skip


def changes(
    listings: list[dict[str, Any]], *lines: dict[str, Any], until: float = 60
) -> list[dict[str, Any]]:
    until_ms = NOON_MS + int(until * DAY_MS)
    return list(price_changes(listings, lines, [], currency="BRL", days=14, until_ms=until_ms))


def test_windows_are_equally_long_and_end_at_other_changes_and_now() -> None:
    listings = [listing(0, 100), listing(5, 90), listing(5.5, 90), listing(20, 120), listing(58, 80)]

    found = changes(listings)

    assert [each["days"] for each in found] == [5, 14, 2]


def test_the_minute_of_the_change_counts_after_it_and_a_cancellation_counts_against() -> None:
    lines = [
        line(9.99, 3),
        line(10, 2),
        line(11, 4),
        line(11, 4, kind="cancelled"),
        line(3.9, 50),
        line(24, 50),
    ]

    [found] = changes([listing(-9, 100), listing(10, 90)], *lines, until=17)

    assert (found["days"], found["units_before"], found["units_after"]) == (7, 53, 2)
    assert (found["revenue_after"], found["orders_after"]) == (200, 1)


def test_a_new_listing_or_another_currency_is_no_price_change_and_ends_a_window() -> None:
    gone = listing(10, 0, is_listed=0, currency="")

    assert changes([listing(0, 100), gone, listing(12, 90)]) == []
    assert [each["days"] for each in changes([listing(0, 100), listing(8, 90), gone])] == [2]
    assert changes([listing(0, 100), listing(5, 90, currency="EUR")]) == []


def test_a_change_without_a_whole_day_has_no_rates() -> None:
    row = {
        "product_id": "pen",
        "changed_ms": NOON_MS,
        "old_price_minor": 100,
        "new_price_minor": 90,
        "days": 0,
    }
    row |= {f"{name}_{side}": 0 for name in ("orders", "units", "sessions") for side in ("before", "after")}
    row |= {"revenue_before_minor": 0, "revenue_after_minor": 0}

    shown = presenter.price_change(row, 14, {}, UTC)

    assert (shown["before"]["units_per_day"], shown["after"]["revenue_per_day"]) == (None, None)
    assert (shown["before"]["orders_per_session"], shown["units_change"], shown["complete"]) == (
        None,
        None,
        False,
    )
    assert shown["price_change"] == -0.1


ORDERS = st.lists(st.lists(st.sampled_from("abcde"), min_size=1, max_size=6), max_size=30)


@given(orders=ORDERS, cancelled=st.sets(st.integers(0, 29)))
def test_pairs_are_symmetric_and_in_no_more_orders_than_each_product(
    orders: list[list[str]], cancelled: set[int]
) -> None:
    lines = [line(0, order=f"o{n}", product=each) for n, products in enumerate(orders) for each in products]
    lines += [
        line(0, order=f"o{n}", product=orders[n][0], kind="cancelled") for n in cancelled if n < len(orders)
    ]
    kept = [set(products) for n, products in enumerate(orders) if n not in cancelled]

    for pair in pairs(lines, min_orders=2, max_products=4):
        both = {pair["product_a"], pair["product_b"]}
        assert pair["product_a"] < pair["product_b"]
        assert pair["together"] == sum(both <= basket for basket in kept if len(basket) <= 4) >= 2
        assert pair["together"] <= min(pair["orders_a"], pair["orders_b"]) <= pair["orders"] == len(kept)


def test_a_lift_of_one_is_independence() -> None:
    row = {
        "product_a": "ink",
        "product_b": "pen",
        "orders": 100,
        "together": 6,
        "orders_a": 20,
        "orders_b": 30,
    }

    [shown] = presenter.pairs([row, row | {"product_a": "", "product_b": ""}], {})

    assert (shown["lift"], shown["support"]) == (1.0, 0.06)
    assert (shown["confidence_a"], shown["confidence_b"]) == (0.3, 0.2)
