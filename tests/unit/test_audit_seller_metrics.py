"""The plain computation of every metric, with which the audit compares the API."""

from zoneinfo import ZoneInfo

from audit.comparisons.facts_vs_seller_metrics import (
    FIRST_SOURCE,
    METRICS,
    SOURCES,
    expected,
    metrics_to_ask,
    rows_of,
)
from audit.seller_metrics.figures import SellerMonths
from clickhouse.metric_catalogue.definition import read_catalogue

SHOP = ZoneInfo("America/Sao_Paulo")
MAY_31_MS = 1_527_821_999_000  # 23:59:59 in the shop
JUNE_1_MS = 1_527_822_000_000


def line(kind: str, order: str, placed_ms: int = JUNE_1_MS, **figures: int) -> dict[str, object]:
    nothing = dict.fromkeys(("units", "gross", "discount", "shipping", "refund"), 0)
    return {
        "kind": kind,
        "seller_id": "ana",
        "order_id": order,
        "placed_ms": placed_ms,
        **nothing,
        **figures,
    }


Facts = dict[str, list[dict[str, object]]]


def months_of(facts: Facts) -> list[dict[str, str]]:
    """The months that the plain computation makes of the rows of its queries."""
    months = SellerMonths(SHOP)
    for source, rows in facts.items():
        SOURCES[source](rows, months.of_source(source))
    return expected(months).to_pylist()


def test_every_source_of_the_catalogue_is_computed() -> None:
    assert set(SOURCES) == {metric.source.name for metric in read_catalogue().values()}


def test_sales_cancellations_and_returns_make_the_metrics_of_a_month() -> None:
    months = months_of(
        {
            "sales_lines": [
                line("sold", "one", units=2, gross=2_000, discount=500, shipping=70),
                line("sold", "one", units=1, gross=300),
                line("sold", "two", units=1, gross=901),
                line("cancelled", "two", units=1, gross=901),
                line("returned", "one", units=1, refund=300),
                line("sold", "earlier", MAY_31_MS, units=1, gross=40),
            ]
        }
    )

    june = next(row for row in months if row["bucket"] == "2018-06")
    assert {name: june[name] for name in METRICS if read_catalogue()[name].domain == "sales"} == {
        "gross_sales": "3201", "discounts": "500", "cancellations": "901", "returns": "300",
        "net_sales": "1500", "shipping": "70", "orders": "2", "cancelled_orders": "1",
        "units": "4", "net_units": "2", "average_order_value": "1500", "average_unit_price": "800",
        "units_per_order": "2.0", "cancellation_rate": "0.5", "return_rate": "0.25",
        "discount_rate": "0.1562",
    }  # fmt: skip
    assert [row["gross_sales"] for row in months if row["bucket"] == "2018-05"] == ["40"]


def test_returns_count_when_they_come_back_and_refunds_when_they_are_paid() -> None:
    came_back = {"kind": "returned", "seller_id": "ana", "return_id": "one", "at_ms": MAY_31_MS}
    paid_back = came_back | {"kind": "refunded", "at_ms": JUNE_1_MS, "restocked": 0}
    months = months_of(
        {
            "return_lines": [
                came_back | {"units": 3, "refund": 900, "restocked": 1},
                came_back | {"units": 1, "refund": 201, "restocked": 0},
                paid_back | {"units": 3, "refund": 900},
                paid_back | {"units": 1, "refund": 201},
            ]
        }
    )

    may, june = sorted(months, key=lambda row: row["bucket"])
    assert (may["returns_received"], may["units_received"], may["restocked_share"]) == ("1", "4", "0.75")
    assert (may["refunds"], may["average_refund"]) == ("0", "")
    assert (june["refunds"], june["refunded_units"], june["average_refund"]) == ("1101", "4", "1101")
    assert june["restocked_share"] == ""


def test_earnings_are_booked_when_they_happen_and_commission_is_rounded_for_each_line() -> None:
    line = {"seller_id": "ana", "at_ms": MAY_31_MS, "shipping": 0, "commission_bp": 0}
    months = months_of(
        {
            "earning_lines": [
                line | {"kind": "sold", "amount": 1_005, "shipping": 70, "commission_bp": 1_000},  # 100.5
                line | {"kind": "sold", "amount": 1_004, "commission_bp": 1_000},  # 100.4
                line | {"kind": "cancelled", "amount": 1_004, "commission_bp": 1_000, "at_ms": JUNE_1_MS},
                line | {"kind": "refunded", "amount": 500, "at_ms": JUNE_1_MS},
                line | {"kind": "paid", "amount": 90, "at_ms": JUNE_1_MS},
            ]
        }
    )

    may, june = sorted(months, key=lambda row: row["bucket"])
    assert (may["sales_income"], may["commission"], may["net_earnings"]) == ("2079", "201", "1878")
    assert may["commission_rate"] == "0.1"
    assert (june["cancelled_income"], june["commission"], june["refunds_charged"]) == ("1004", "-100", "500")
    assert (june["net_earnings"], june["payouts"], june["unpaid_earnings"]) == ("-1404", "90", "-1494")
    assert june["commission_rate"] == ""


HOUR_MS = 3_600_000


def step(kind: str, order: str, at_ms: int, *, promised: int = 0, reason: str = "") -> dict[str, object]:
    return {
        "kind": kind, "seller_id": "ana", "order_id": order, "at_ms": at_ms, "promised": promised,
        "reason": reason,
    }  # fmt: skip


def test_times_between_steps_are_quantiles_of_whole_parcels() -> None:
    steps = []
    for number, hours in enumerate((1, 2, 30, 4, 5)):
        confirmed, shipped = JUNE_1_MS, JUNE_1_MS + hours * HOUR_MS
        order = f"o{number}"
        steps += [step("confirmed", order, confirmed), step("shipped", order, shipped - 5)]
        steps.append(step("shipped", order, shipped))  # the second parcel of the seller
    backwards = [step("confirmed", "x", JUNE_1_MS + 9), step("shipped", "x", JUNE_1_MS)]
    alone = [step("shipped", "y", JUNE_1_MS)]

    [june] = months_of({"parcel_steps": steps + backwards + alone})

    # 0, 1, 2, 4, 5, 30: position 3 of 6, and position 5.
    assert (june["time_to_ship_median"], june["time_to_ship_p90"]) == ("4.0", "30.0")
    assert june["parcels_shipped"] == "7"
    assert (june["time_to_confirm_median"], june["late_share"]) == ("", "")


def test_a_parcel_is_late_after_the_promised_day() -> None:
    promised_ms = JUNE_1_MS  # the first midnight of June
    steps = [
        *(step("placed", order, MAY_31_MS, promised=promised_ms) for order in ("on time", "late")),
        step("delivered", "on time", JUNE_1_MS + 23 * HOUR_MS),
        step("delivered", "late", JUNE_1_MS + 24 * HOUR_MS),
        step("delivered", "without a promise", JUNE_1_MS + 99 * HOUR_MS),
        step("cancelled", "on time", JUNE_1_MS, reason="out_of_stock"),
        step("cancelled", "late", JUNE_1_MS, reason="shopper_request"),
    ]

    june = next(row for row in months_of({"parcel_steps": steps}) if row["bucket"] == "2018-06")

    assert (june["late_share"], june["parcels_delivered"], june["order_cancellations"]) == ("0.5", "3", "2")
    assert june["seller_cancellation_rate"] == "", "the orders were placed in May"


def test_reviews_have_an_average_and_a_share_of_low_scores() -> None:
    reviews = [{"seller_id": "ana", "at_ms": JUNE_1_MS, "score": score} for score in (1, 2, 5)]

    [june] = months_of({"review_scores": reviews})

    assert (june["reviews"], june["review_score"], june["low_score_share"]) == ("3", "2.6667", "0.6667")


def test_sessions_are_counted_once_a_month_and_orders_for_each_session() -> None:
    viewed = {"kind": "viewed", "seller_id": "ana", "at_ms": JUNE_1_MS, "units": 0}
    sold_unit = viewed | {"kind": "sold", "id": "o1", "units": 3}
    views = [viewed | {"id": session} for session in ("a", "a", "b", "c", "c")]

    [june] = months_of({"product_interest": [*views, sold_unit, sold_unit]})

    assert (june["product_views"], june["viewing_sessions"], june["orders_per_session"]) == (
        "5",
        "3",
        "0.3333",
    )
    assert (june["units_per_session"], june["views_per_session"]) == ("2.0", "1.6667")


def test_a_customer_is_new_once_and_returns_afterwards() -> None:
    order = {"seller_id": "ana", "shopper_id": "ben", "placed_ms": JUNE_1_MS, "counts": 1, "cancelled": 0}
    orders = [
        order | {"order_id": "o2"},
        order | {"order_id": "o1", "placed_ms": MAY_31_MS},
        order | {"order_id": "o3", "shopper_id": "cem"},
        order | {"order_id": "o4", "shopper_id": "cem", "placed_ms": JUNE_1_MS + HOUR_MS},
        order | {"order_id": "o5", "shopper_id": "dan"},
        order | {"order_id": "o6", "shopper_id": "eve", "cancelled": 1},
        order | {"order_id": "o7", "shopper_id": "dan", "placed_ms": MAY_31_MS, "cancelled": 1},
    ]

    may, june = sorted(months_of({"customer_orders": orders}), key=lambda row: row["bucket"])

    assert (may["customers"], may["new_customer_share"], may["repeat_rate"]) == ("1", "1.0", "0.0")
    assert (june["customers"], june["new_customers"], june["orders_per_customer"]) == ("3", "2", "1.3333")
    assert (june["returning_customer_share"], june["repeat_rate"]) == ("0.3333", "0.6667")
    # 0 h and 1 h, in whole minutes: May 31 at 23:59 is a minute before June.
    assert (june["time_between_orders_median"], june["time_between_orders_p90"]) == ("1.0", "1.0")
    assert may["time_between_orders_median"] == ""


def test_a_customer_of_an_order_in_another_currency_is_not_new() -> None:
    order = {"seller_id": "ana", "shopper_id": "ben", "order_id": "o1", "placed_ms": MAY_31_MS, "counts": 0}
    order |= {"cancelled": 0}
    orders = [order, order | {"order_id": "o2", "placed_ms": JUNE_1_MS, "counts": 1}]

    [june] = months_of({"customer_orders": orders})

    assert (june["customers"], june["new_customers"], june["repeat_rate"]) == ("1", "0", "1.0")


def test_a_click_leads_to_the_order_of_the_same_shopper_and_product_within_a_day() -> None:
    shown = {"kind": "shown", "seller_id": "ana", "id": "list", "product_id": "pen", "shopper_id": ""}
    shown |= {"at_ms": JUNE_1_MS, "amount": 0}
    click = shown | {"kind": "clicked", "seller_id": "", "shopper_id": "ben"}
    bought = click | {"kind": "bought", "seller_id": "ana"}
    rows = [
        shown,
        shown | {"product_id": "ink"},
        click,
        click | {"at_ms": JUNE_1_MS + 1},
        bought | {"id": "o1", "at_ms": JUNE_1_MS + 24 * HOUR_MS, "amount": 70},
        bought | {"id": "too late", "at_ms": JUNE_1_MS + 24 * HOUR_MS + 1, "amount": 800},
        bought | {"id": "before", "at_ms": JUNE_1_MS - 1, "amount": 800},
        bought | {"id": "of another", "shopper_id": "cem", "amount": 800},
        bought | {"id": "another product", "product_id": "ink", "amount": 800},
    ]

    june = next(row for row in months_of({"recommendations": rows}) if row["bucket"] == "2018-06")

    assert (june["recommendation_impressions"], june["recommendation_clicks"]) == ("2", "1")
    assert june["click_through_rate"] == "0.5"
    assert (june["attributed_orders"], june["attributed_sales"]) == ("1", "70")


def test_the_api_is_asked_for_sales_of_all_sellers_and_for_everything_of_some() -> None:
    asked = dict(metrics_to_ask(f"seller-{number}" for number in range(2_000)))

    of_some = [seller for seller, metrics in asked.items() if metrics == METRICS]
    assert 50 < len(of_some) < 150
    assert {metrics for seller, metrics in asked.items() if seller not in of_some} == {FIRST_SOURCE}
    assert "net_sales" in FIRST_SOURCE
    assert "refunds" not in FIRST_SOURCE


def test_a_month_without_orders_is_no_row_and_a_missing_ratio_is_empty() -> None:
    nothing = dict.fromkeys(METRICS, 0) | dict.fromkeys(("average_order_value", "return_rate"))
    months = [
        {"start": "2018-05-01T00:00:00-03:00", "values": nothing},
        {"start": "2018-06-01T00:00:00-03:00", "values": nothing | {"orders": 1, "units_per_order": 1.5}},
    ]

    [row] = rows_of({"seller_id": "ana", "series": months})

    assert (row["bucket"], row["orders"], row["units_per_order"]) == ("2018-06", "1", "1.5")
    assert row["return_rate"] == ""


def test_earnings_count_by_how_far_the_order_is_now() -> None:
    line = {
        "kind": "sold", "seller_id": "ana", "at_ms": MAY_31_MS, "amount": 1_000, "shipping": 10,
        "commission_bp": 1_000,
    }  # fmt: skip
    step = line | {"amount": 0, "shipping": 0, "at_ms": JUNE_1_MS}
    months = months_of(
        {
            "earning_stages": [
                line | {"order_id": "waits"},
                line | {"order_id": "leaves"},
                line | {"order_id": "arrives"},
                line | {"order_id": "ends"},
                line | {"order_id": "ends", "kind": "cancelled"},
                line | {"order_id": "arrives", "kind": "refunded", "amount": 300, "at_ms": JUNE_1_MS},
                step | {"order_id": "leaves", "kind": "step_shipped"},
                step | {"order_id": "arrives", "kind": "step_shipped"},
                step | {"order_id": "arrives", "kind": "step_delivered"},
                step | {"order_id": "ends", "kind": "step_cancelled"},
                step | {"order_id": "waits", "kind": "step_delivered", "seller_id": "bob"},
            ]
        }
    )

    may, june = sorted(months, key=lambda row: row["bucket"])
    assert [may[f"earnings_{stage}"] for stage in ("to_ship", "on_the_way", "delivered")] == ["910"] * 3
    assert june["earnings_delivered"] == "-300"
