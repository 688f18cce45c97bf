"""The reference of the metrics, from events: the audit compares everything with it."""

import itertools
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.reference.arithmetic import HOUR_MS, Value, quantile_hours, ratio
from audit.reference.domains import FAMILIES, Values
from audit.reference.price_changes import Turn, measured_changes
from audit.reference.shop import Shop
from audit.reference.totals import ALL_SELLERS, Calendar, Part

SAO_PAULO = ZoneInfo("America/Sao_Paulo")
MAY_31_MS = 1_527_821_999_000  # 23:59:59 in the shop
JUNE_1_MS = 1_527_822_000_000
END_MS = 1_530_414_000_000  # the first midnight of July
DAY_MS = 24 * HOUR_MS

Events = dict[str, list[dict[str, Any]]]
LINE = {
    "line_number": 1, "product_id": "pen", "seller_id": "ana", "quantity": 1, "unit_price_minor": 0,
    "discount_minor": 0, "shipping_minor": 0, "tax_minor": 0, "commission_bp": 0,
    "marketplace_minor": None, "line_voucher_id": None, "order_voucher_id": None,
}  # fmt: skip


REFUNDED = {"line_number": 1, "product_id": "pen", "quantity": 1, "marketplace_minor": None}


def order(order_id: str, *lines: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """An order, its confirmation or its cancellation, on the first of June."""
    return {
        "order_id": order_id, "shopper_id": "ben", "currency": "BRL", "placed_at": JUNE_1_MS,
        "lines": [LINE | line for line in lines or ({},)], **fields,
    }  # fmt: skip


def figures(
    domain: str, events: Events, part: Part = "month", *, as_one: bool = False
) -> dict[tuple[str, str], Values]:
    """Owner and part of the time → the values that the reference makes of events."""
    known = {
        kind: [
            {"event_id": f"{kind}-{number}", "occurred_at": JUNE_1_MS, **fields}
            for number, fields in enumerate(own)
        ]
        for kind, own in events.items()
    }
    shop = Shop(lambda kind: known.get(kind, []), "BRL", SAO_PAULO, END_MS)
    calendar = Calendar(SAO_PAULO, part, 0, END_MS, END_MS)
    found = FAMILIES[domain].values(shop, lambda _: calendar, as_one=as_one)
    return {(owner, name): values for owner, name, values in found}


def months(domain: str, events: Events) -> tuple[Values, Values]:
    """The values of seller Ana in May and in June."""
    found = figures(domain, events)
    nothing = {
        name: formula(FAMILIES[domain].figures()) for name, formula in FAMILIES[domain].formulas.items()
    }
    return found.get(("ana", "2018-05"), nothing), found.get(("ana", "2018-06"), nothing)


def picked(values: Values, names: str) -> tuple[Value, ...]:
    return tuple(values[name] for name in names.split())


def test_sales_cancellations_and_returns_make_the_metrics_of_a_month() -> None:
    gone = order("two", {"unit_price_minor": 901, "shipping_minor": 20, "tax_minor": 9})
    refund = order("one", return_id="back", seller_id="ana") | {"lines": [REFUNDED | {"refund_minor": 300}]}
    one = order(
        "one",
        {"quantity": 2, "unit_price_minor": 1_000, "discount_minor": 500, "shipping_minor": 70},
        {"unit_price_minor": 300, "tax_minor": 31},
    )
    may, june = months(
        "sales",
        {
            "order_confirmed": [
                one, one, gone, order("earlier", {"unit_price_minor": 40}, placed_at=MAY_31_MS),
                order("abroad", {"unit_price_minor": 77}, currency="EUR"),
            ],
            "order_cancelled": [gone | {"confirmed_at": JUNE_1_MS}, gone | {"confirmed_at": None}],
            "payment_refunded": [refund],
        },
    )  # fmt: skip

    assert june == {
        "gross_sales": 3201, "discounts": 500, "cancellations": 901, "returns": 300, "net_sales": 1500,
        "shipping": 90, "tax": 40, "total_sales": 1601, "orders": 2, "cancelled_orders": 1, "units": 4,
        "net_units": 2, "average_order_value": 1500, "average_unit_price": 800, "units_per_order": 2.0,
        "cancellation_rate": 0.5, "return_rate": 0.25, "discount_rate": 0.1562, "voucher_cost": 0,
        "marketplace_vouchers": 0,
    }  # fmt: skip
    assert may["gross_sales"] == 40


def test_the_seller_pays_for_own_vouchers_and_gives_the_marketplace_its_part_of_a_return_back() -> None:
    shared = {"unit_price_minor": 1_000, "line_voucher_id": "mine", "discount_minor": 200}
    shared |= {"order_voucher_id": "theirs", "marketplace_minor": 80}
    gone = order("two", shared)
    refund = order("one", return_id="back", seller_id="ana") | {
        "lines": [REFUNDED | {"refund_minor": 360, "marketplace_minor": 40}]
    }
    events = {
        "order_confirmed": [order("one", shared, {"unit_price_minor": 500, "discount_minor": 100}), gone],
        "order_cancelled": [gone | {"confirmed_at": JUNE_1_MS}],
        "payment_refunded": [refund],
    }

    _, sales = months("sales", events)
    assert picked(sales, "voucher_cost marketplace_vouchers discounts") == (200, 40, 500)
    assert picked(sales, "returns net_sales") == (400, 800)
    _, money = months("money", events)
    assert picked(money, "sales_income cancelled_income refunds_charged") == (2000, 800, 400)


def test_returns_count_when_they_come_back_and_refunds_when_they_are_paid() -> None:
    lines = [
        {"quantity": 3, "refund_minor": 900, "restocked": True},
        {"quantity": 1, "refund_minor": 201, "restocked": False},
    ]
    back = {"return_id": "one", "seller_id": "ana", "currency": "BRL", "lines": lines}
    may, june = months(
        "returns", {"order_returned": [back | {"occurred_at": MAY_31_MS}], "payment_refunded": [back]}
    )

    assert picked(may, "returns_received units_received restocked_share") == (1, 4, 0.75)
    assert picked(may, "refunds average_refund") == (0, None)
    assert picked(june, "refunds refunded_units average_refund restocked_share") == (1101, 4, 1101, None)


def test_earnings_are_booked_when_they_happen_and_commission_is_rounded_for_each_line() -> None:
    sold = [
        {"unit_price_minor": 1_005, "shipping_minor": 70, "commission_bp": 1_000},  # 100.5
        {"unit_price_minor": 1_004, "commission_bp": 1_000},  # 100.4
    ]
    refund = {
        "return_id": "back", "seller_id": "ana", "order_id": "one", "currency": "BRL", "placed_at": MAY_31_MS,
    }  # fmt: skip
    may, june = months(
        "money",
        {
            "order_confirmed": [order("one", *sold, occurred_at=MAY_31_MS)],
            "order_cancelled": [order("one", sold[1], confirmed_at=MAY_31_MS)],
            "payment_refunded": [refund | {"lines": [REFUNDED | {"refund_minor": 500}]}],
            "payout_paid": [{"payout_id": "p", "seller_id": "ana", "currency": "BRL", "amount_minor": 90}],
        },
    )

    assert picked(may, "sales_income commission net_earnings commission_rate") == (2079, 201, 1878, 0.1)
    assert picked(june, "cancelled_income commission refunds_charged") == (1004, -100, 500)
    assert picked(june, "net_earnings payouts unpaid_earnings commission_rate") == (-1404, 90, -1494, None)


def test_earnings_count_by_how_far_the_order_is_now() -> None:
    line = {"unit_price_minor": 1_000, "shipping_minor": 10, "commission_bp": 1_000}
    parcel = {"seller_id": "ana"}
    refund = {"return_id": "back", "seller_id": "ana", "order_id": "arrives", "currency": "BRL"}
    orders = ("waits", "leaves", "arrives", "ends")
    may, june = months(
        "money",
        {
            "order_confirmed": [order(each, line, occurred_at=MAY_31_MS) for each in orders],
            "order_cancelled": [order("ends", line, confirmed_at=MAY_31_MS)],
            "order_shipped": [parcel | {"order_id": each} for each in ("leaves", "arrives")],
            "order_delivered": [parcel | {"order_id": "arrives"}, {"seller_id": "bob", "order_id": "waits"}],
            "payment_refunded": [
                refund
                | {
                    "placed_at": MAY_31_MS,
                    "lines": [REFUNDED | {"refund_minor": 300}],
                }
            ],
        },
    )

    assert picked(may, "earnings_to_ship earnings_on_the_way earnings_delivered") == (910, 910, 910)
    assert picked(june, "earnings_to_ship earnings_delivered net_earnings") == (0, -300, -1210)


def test_the_profit_has_the_cost_that_was_valid_when_the_order_was_placed() -> None:
    cost = {"seller_id": "ana", "product_id": "pen", "currency": "BRL", "removed": False, "version": 1}
    costs = [
        cost | {"valid_from": 0, "unit_cost_minor": 60},
        cost | {"valid_from": JUNE_1_MS, "unit_cost_minor": 1},
        cost | {"valid_from": JUNE_1_MS, "unit_cost_minor": 200, "version": 2},
        cost | {"valid_from": JUNE_1_MS, "unit_cost_minor": 9, "currency": "EUR", "product_id": "ink"},
    ]
    lines = [{"quantity": 2, "unit_price_minor": 100}, {"product_id": "ink", "unit_price_minor": 7}]
    may, june = months(
        "money",
        {
            "product_cost_set": costs,
            "order_confirmed": [
                order("old", *lines, placed_at=MAY_31_MS),
                order("new", *lines),
            ],
        },
    )

    assert may["profit"] == 0, "both are booked in June"
    assert picked(june, "cost_of_goods profit profit_margin") == (520, -120, -0.3)
    assert picked(june, "earnings_without_cost units_without_cost cost_known_share") == (14, 2, 0.6667)
    assert june["net_earnings"] == 414


def step(kind: str, order_id: str, at_ms: int, **fields: Any) -> tuple[str, dict[str, Any]]:
    of_seller = {"seller_id": "ana"} if kind in ("shipped", "delivered") else {"lines": [LINE]}
    return f"order_{kind}", {"order_id": order_id, "occurred_at": at_ms, **of_seller, **fields}


def service(*steps: tuple[str, dict[str, Any]]) -> tuple[Values, Values]:
    kinds = {kind for kind, _ in steps}
    return months("service", {kind: [fields for each, fields in steps if each == kind] for kind in kinds})


def test_times_between_steps_are_quantiles_of_whole_parcels() -> None:
    steps = []
    for number, hours in enumerate((1, 2, 30, 4, 5)):
        steps.append(step("confirmed", f"o{number}", JUNE_1_MS))
        shipped_ms = JUNE_1_MS + hours * HOUR_MS
        steps.append(step("shipped", f"o{number}", shipped_ms))
        steps.append(step("shipped", f"o{number}", shipped_ms - 5))  # another parcel of the seller
    backwards = step("confirmed", "x", JUNE_1_MS + 9), step("shipped", "x", JUNE_1_MS)

    _, june = service(*steps, *backwards, step("shipped", "alone", JUNE_1_MS))

    # 0, 1, 2, 4, 5, 30: position 3 of 6, and position 5.
    assert picked(june, "time_to_ship_median time_to_ship_p90 parcels_shipped") == (4.0, 30.0, 7)
    assert picked(june, "time_to_confirm_median late_share") == (None, None)


def test_a_parcel_is_late_after_the_promised_day() -> None:
    promise = {"estimated_delivery_at": JUNE_1_MS}  # the first midnight of June
    _, june = service(
        *(step("placed", order_id, MAY_31_MS, **promise) for order_id in ("on time", "late")),
        step("delivered", "on time", JUNE_1_MS + 23 * HOUR_MS),
        step("delivered", "late", JUNE_1_MS + 24 * HOUR_MS),
        step("delivered", "without a promise", JUNE_1_MS + 99 * HOUR_MS),
        step("cancelled", "on time", JUNE_1_MS, reason="out_of_stock"),
        step("cancelled", "late", JUNE_1_MS, reason="shopper_request"),
    )

    assert picked(june, "late_share parcels_delivered order_cancellations") == (0.5, 3, 2)
    assert june["seller_cancellation_rate"] is None, "the orders were placed in May"


def review(
    review_id: str, score: int = 1, submitted_at: int | None = JUNE_1_MS, **fields: Any
) -> dict[str, Any]:
    """What happened to a version of a review, on the first of June."""
    about = {"order_id": "o", "review_id": review_id, "seller_id": "ana", "score": score}
    return about | {"submitted_at": submitted_at} | fields


def test_reviews_have_an_average_and_a_share_of_low_scores() -> None:
    reviews = [review(f"r{score}", score) for score in (1, 2, 5)]
    of_nobody, unknown = review("x", seller_id=None), review("y", submitted_at=None)

    _, june = months("service", {"review_published": [*reviews, reviews[0], of_nobody, unknown]})

    assert picked(june, "reviews review_score low_score_share") == (3, 2.6667, 0.6667)


def test_a_review_counts_when_it_was_written_as_long_as_everybody_may_read_it() -> None:
    later = {"occurred_at": JUNE_1_MS + 1}
    may, june = months(
        "service",
        {
            "review_published": [
                review("early", 2, MAY_31_MS), review("gone"), review("hidden"), review("shown", 5, **later),
                review("anew", 1), review("anew", 4, JUNE_1_MS + 1, **later), review("at once"),
            ],
            "review_rejected": [review("hidden", **later), review("shown"), review("never", 3)],
            "review_withdrawn": [review("gone", **later), review("anew", **later), review("at once")],
        },
    )  # fmt: skip

    assert picked(may, "reviews review_score") == (1, 2)
    assert picked(june, "reviews review_score") == (2, 4.5)


def test_the_trend_compares_the_newest_twenty_reviews_with_those_before_them() -> None:
    scores = [1] * 5 + [3] * 20 + [5] * 19
    reviews = [
        review("r", score, MAY_31_MS if number < 39 else JUNE_1_MS, order_id=f"{number:02}")
        for number, score in enumerate(scores)
    ]
    may, june = months("service", {"review_published": reviews})

    assert may["review_score_trend"] is None, "39 reviews are too few"
    assert june["review_score_trend"] == (19 * 5 + 3 - 19 * 3 - 1) / 20


def test_exposure_is_compared_with_the_catalogue_at_the_end_of_the_time() -> None:
    def offer(seller_id: str, product_id: str, **fields: Any) -> dict[str, Any]:
        return {"seller_id": seller_id, "product_id": product_id, **fields}

    shown = {"recommendation_id": "home", "items": [offer("ana", "pen"), *[offer("bo", "cup")] * 2]}
    may, june = months(
        "recommendations",
        {
            "product_listed": [
                offer("ana", "pen", occurred_at=MAY_31_MS), offer("bo", "cup"), offer("bo", "box"),
                offer("bo", "hat", occurred_at=END_MS),
            ],
            "product_changed": [offer("ana", "pen")],
            "product_delisted": [offer("bo", "box", occurred_at=JUNE_1_MS + 1)],
            "recommendation_shown": [
                shown, shown | {"items": [offer("ana", "pen"), {"product_id": "old", "seller_id": None}]},
            ],
        },
    )  # fmt: skip
    names = "exposure_share catalogue_share exposure_ratio"

    assert picked(may, names) == (None, 1.0, None)
    assert picked(june, names) == (0.5, 0.5, 1.0)


def test_sessions_are_counted_once_a_month_and_orders_for_each_session() -> None:
    views = [{"session_id": session, "seller_id": "ana"} for session in ("a", "a", "b", "c", "c", "")]
    sold = order("o1", {"quantity": 2}, {"line_number": 2, "quantity": 4})

    _, june = months("products", {"product_viewed": views, "order_confirmed": [sold]})

    assert picked(june, "product_views viewing_sessions orders_per_session") == (6, 3, 0.3333)
    assert picked(june, "units_per_session views_per_session") == (2.0, 2.0)


def stock(version: int, at_ms: int, on_hand: int) -> dict[str, Any]:
    return {
        "seller_id": "ana", "product_id": "pen", "version": version, "on_hand": on_hand, "reserved": 1,
        "occurred_at": at_ms,
    }  # fmt: skip


def test_stock_is_that_of_the_end_and_what_sold_before_says_how_long_it_lasts() -> None:
    events = {
        "stock_changed": [stock(2, JUNE_1_MS, 5), stock(1, MAY_31_MS, 11)],
        "order_confirmed": [
            order("may", {"quantity": 3}, placed_at=MAY_31_MS),
            order("june", {"quantity": 4}, placed_at=END_MS - 27 * DAY_MS),
        ],
    }
    may, june = months("products", events)

    assert picked(may, "units_in_stock sell_through days_of_supply") == (10, 0.2308, 93.3333)
    assert picked(june, "units_in_stock sell_through days_of_supply") == (4, 0.5, 28.0)


def test_full_hours_without_stock_lose_what_would_have_been_sold() -> None:
    empty_ms = JUNE_1_MS + 50 * HOUR_MS
    events = {
        "stock_changed": [stock(1, JUNE_1_MS, 9), stock(2, empty_ms, 1), stock(3, empty_ms + 3 * HOUR_MS, 9)],
        "order_confirmed": [order("o", {"quantity": 25, "unit_price_minor": 100})],
    }
    _, june = months("products", events)

    assert picked(june, "hours_out_of_stock lost_units_estimate lost_sales_estimate") == (3, 2, 150)


def test_an_elasticity_compares_whole_days_before_and_after_a_change_of_the_price() -> None:
    def priced(day: float, price_minor: int) -> dict[str, Any]:
        at_ms = int(JUNE_1_MS + day * DAY_MS)
        offer = {"seller_id": "ana", "product_id": "pen", "currency": "BRL"}
        return {**offer, "price_minor": price_minor, "occurred_at": at_ms, "event_id": f"{day}"}

    def sold(day: float, units: int, **fields: Any) -> dict[str, Any]:
        return order(f"{day}", {"quantity": units}, placed_at=int(JUNE_1_MS + day * DAY_MS), **fields)

    events = {
        "product_listed": [priced(-40, 1_000)],
        # 8 of the 8.5 days between the changes are compared with 8 days before and after; 2 % is too little.
        "product_changed": [
            *(priced(day, price) for day, price in ((-10, 1_000), (0, 1_100), (8.5, 900), (17, 918))),
            priced(0, 1_100),
        ],
        "order_confirmed": [
            sold(-8.1, 50), sold(-8, 9), sold(-0.5, 11), sold(0, 8), sold(7.9, 2), sold(8.1, 58),
            sold(12, 40), sold(13, 50),
        ],
        "order_cancelled": [sold(13, 50, confirmed_at=JUNE_1_MS)],
    }  # fmt: skip
    may, june = months("products", events)
    weeks = figures("products", events, "week")

    # (10 − 20) ÷ 30 ÷ (100 ÷ 2100) = −7, and (40 − 60) ÷ 100 ÷ (−200 ÷ 2000) = 2, which is the upper one.
    assert picked(june, "price_elasticity price_changes_measured") == (2.0, 2)
    assert picked(may, "price_elasticity price_changes_measured") == (None, 0)
    assert weeks["ana", "2018-W23"]["price_elasticity"] == -7.0


@pytest.mark.parametrize(
    ("new", "units", "days", "measured"),
    [(1_030, 10, 7, True), (1_029, 10, 7, False), (1_030, 9, 7, False), (1_030, 10, 6.99, False)],
)
def test_small_changes_few_units_and_short_prices_have_no_elasticity(
    new: int, units: int, days: float, measured: bool
) -> None:
    turns = [Turn(0, ("BRL", 1_000)), Turn(7 * DAY_MS, ("BRL", new)), Turn(int((7 + days) * DAY_MS), None)]
    sales = [(0, units - 1), (7 * DAY_MS, 1)]

    found = list(measured_changes(turns, sales, "BRL", 14 * DAY_MS))

    assert bool(found) == measured
    assert not list(measured_changes(turns, sales, "BRL", 14 * DAY_MS - 1)), "the days are not over"
    assert not list(measured_changes(turns, sales, "EUR", 14 * DAY_MS))
    assert not list(measured_changes(turns[:1], sales, "BRL", 14 * DAY_MS)), "the price has never changed"


def test_a_customer_is_new_once_and_returns_afterwards() -> None:
    before = {"placed_at": MAY_31_MS}
    dan, eve = order("o7", shopper_id="dan", **before), order("o6", shopper_id="eve")
    confirmed = [
        order("o2"), order("o1", **before), order("o3", shopper_id="cem"),
        order("o4", shopper_id="cem", placed_at=JUNE_1_MS + HOUR_MS), order("o5", shopper_id="dan"), dan, eve,
    ]  # fmt: skip
    cancelled = [each | {"confirmed_at": JUNE_1_MS} for each in (dan, eve)]

    may, june = months("customers", {"order_confirmed": confirmed, "order_cancelled": cancelled})

    assert picked(may, "customers new_customer_share repeat_rate") == (1, 1.0, 0.0)
    assert picked(june, "customers new_customers orders_per_customer") == (3, 2, 1.3333)
    assert picked(june, "returning_customer_share repeat_rate") == (0.3333, 0.6667)
    # 0 h and 1 h, in whole minutes: May 31 at 23:59 is a minute before June.
    assert picked(june, "time_between_orders_median time_between_orders_p90") == (1.0, 1.0)
    assert may["time_between_orders_median"] is None


def test_a_customer_of_an_order_in_another_currency_is_not_new() -> None:
    abroad = order("o1", placed_at=MAY_31_MS, currency="EUR")

    may, june = months("customers", {"order_confirmed": [abroad, order("o2")]})

    assert picked(june, "customers new_customers repeat_rate") == (1, 0, 1.0)
    assert may["customers"] == 0


def test_of_all_sellers_the_first_order_at_any_of_them_is_the_first_one() -> None:
    shared = order("o2", {}, {"seller_id": "bea"})
    events = {"order_confirmed": [order("o1", placed_at=MAY_31_MS), shared]}

    alone, together = figures("customers", events), figures("customers", events, as_one=True)

    assert picked(alone["bea", "2018-06"], "customers new_customers") == (1, 1)
    assert picked(together[ALL_SELLERS, "2018-06"], "customers new_customers") == (1, 0)
    assert figures("sales", events, as_one=True)[ALL_SELLERS, "2018-06"]["orders"] == 1


def test_a_click_leads_to_the_order_of_the_same_shopper_and_product_within_a_day() -> None:
    items = [{"product_id": product, "seller_id": "ana"} for product in ("pen", "ink")]
    click = {"recommendation_id": "list", "product_id": "pen", "shopper_id": "ben"}
    line = {"unit_price_minor": 800}
    events = {
        "recommendation_shown": [{"recommendation_id": "list", "items": items}],
        "recommendation_clicked": [click, click | {"occurred_at": JUNE_1_MS + 1}],
        "order_confirmed": [
            order("o1", {"unit_price_minor": 70}, placed_at=JUNE_1_MS + DAY_MS),
            order("too late", line, placed_at=JUNE_1_MS + DAY_MS + 1),
            order("before", line, placed_at=JUNE_1_MS - 1),
            order("of another", line, shopper_id="cem"),
            order("another product", line | {"product_id": "ink"}),
        ],
    }
    _, june = months("recommendations", events)

    assert picked(june, "recommendation_impressions recommendation_clicks click_through_rate") == (2, 1, 0.5)
    assert picked(june, "attributed_orders attributed_sales") == (1, 70)


def test_a_click_in_a_search_leads_to_what_follows_in_the_same_session_within_a_day() -> None:
    view = {"session_id": "s", "seller_id": "ana", "product_id": "pen", "search_id": "lamp"}
    cart = {**view, "quantity_before": 0, "quantity": 1, "reason": None}
    page = {
        "search_id": "lamp",
        "session_id": "s",
        "page_number": 1,
        "result_count": 2,
        "product_ids": ["pen", "ink"],
    }
    events = {
        "search_performed": [page, page, page | {"search_id": "none", "result_count": 0, "product_ids": []}],
        "product_viewed": [view, view | {"search_id": None}, view | {"session_id": "other"}],
        "cart_changed": [
            cart | {"occurred_at": JUNE_1_MS + DAY_MS - 1},
            cart | {"session_id": "other", "occurred_at": JUNE_1_MS + 1, "reason": "merged"},
        ],
        "order_placed": [order("o1", session_id="s", occurred_at=JUNE_1_MS + DAY_MS)],
        "order_confirmed": [order("o1")],
    }
    _, june = months("search", events)
    together = figures("search", events, as_one=True)[ALL_SELLERS, "2018-06"]

    assert picked(june, "search_clicks search_carts search_purchases") == (2, 1, 0)
    assert june["search_conversion_rate"] == 0.0
    assert picked(together, "searches search_impressions empty_search_share") == (2, 4, 0.5)
    assert together["search_click_rate"] == 0.5


def test_clicks_in_a_search_have_the_positions_of_the_list_that_was_shown() -> None:
    def page(search_id: str, products: str, number: int = 1) -> dict[str, Any]:
        found = products.split()
        fields = {"result_count": len(found), "product_ids": found}
        return {"search_id": search_id, "session_id": "s", "page_number": number, **fields}

    def click(search_id: str, product: str, day: float = 0, session: str = "s") -> dict[str, Any]:
        offer = {"seller_id": "ana", "product_id": product, "occurred_at": int(JUNE_1_MS + day * DAY_MS)}
        return {"session_id": session, "search_id": search_id, **offer}

    events = {
        "search_performed": [
            page("twice", "pen ink cup ink"), page("later", "pen ink"), page("later", "cup hat", 2),
            page("late", "pen"), page("never", "pen ink"), page("nothing", ""),
        ],
        "product_viewed": [
            click("twice", "cup"), click("twice", "ink", 0.5), click("twice", "ink", 0.6),
            click("later", "hat"), click("late", "pen", 1), click("late", "pen", -0.1),
            click("never", "pen", session="other"), click("unknown", "pen"),
        ],
    }  # fmt: skip
    june = figures("search", events, as_one=True)[ALL_SELLERS, "2018-06"]

    assert june["clicked_search_share"] == 0.4
    assert june["position_click_rate"] == 0.25  # two of eight
    assert june["reciprocal_rank"] == 0.5


@pytest.mark.parametrize(
    ("part", "name"),
    [("total", "total"), ("week", "2018-W22"), ("day", "2018-06-01"), ("hour", "2018-06-01T00:00-03:00")],
)
def test_a_part_of_the_time_has_a_name(part: Part, name: str) -> None:
    found = figures("sales", {"order_confirmed": [order("o")]}, part)

    assert list(found) == [("ana", name)]


@given(st.integers(1_483_000_000, 1_530_000_000), st.sampled_from(("month", "week", "day", "hour")))
def test_the_ends_of_the_parts_are_where_the_names_change(second: int, part: Part) -> None:
    moment_ms = second * 1000
    calendar = Calendar(SAO_PAULO, part, moment_ms, moment_ms + 70 * DAY_MS, moment_ms + 60 * DAY_MS)
    ends = list(itertools.islice(calendar.ends(moment_ms), 40))

    assert ends == sorted(set(ends))
    for earlier, later in itertools.pairwise([moment_ms, *ends]):
        assert calendar.name(earlier) == calendar.name(later - 1)
        assert calendar.name(later) != calendar.name(later - 1) or later == moment_ms + 60 * DAY_MS


def test_values_are_rounded_half_up() -> None:
    assert ratio(5, 40_000) == 0.0001, "0.000125"
    assert ratio(1, 20_000) == 0.0001, "0.00005"
    assert ratio(-1, 20_000) == 0.0
    assert ratio(1, 0) is None
    assert quantile_hours([HOUR_MS, 0, 90 * HOUR_MS], 50) == 1.0
