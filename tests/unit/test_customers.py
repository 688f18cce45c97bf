"""Customers of a seller: months, cohorts and segments, and the plain computation of the audit."""

from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import product
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.reference.shop import Shop
from audit.seller_customers import GRID, Customers, by_scores, by_segment, cohorts, customers_of, scored
from common.problems import Problem
from serving.analytics import customers as presenter
from serving.analytics.customer_segments import SCORES, SEGMENTS, segment_of
from serving.analytics.customers import complete_months, read_zone
from serving.analytics.months import Month
from serving.kit.problems import BAD_PERIOD, UNUSABLE_PARAMETER
from serving.web.seller.customers import LEVELS, level

SHOP = ZoneInfo("America/Sao_Paulo")
MONTHS = st.builds(Month, st.integers(1971, 2104), st.integers(1, 12))


@given(MONTHS, st.integers(-700, 700))
def test_months_later_and_the_months_between_are_inverse(month: Month, number: int) -> None:
    assert month.plus(number).since(month) == number
    assert Month.of_yyyymm(month.yyyymm) == month
    assert Month.parse(str(month), "until") == month


@pytest.mark.parametrize("text", ["2018-13", "2018-1", "2018-001", "1970-12", "2105-01", "0000-01", "soon"])
def test_what_is_not_a_month_is_refused(text: str) -> None:
    with pytest.raises(Problem, match=f"until={text}", check=BAD_PERIOD.matches):
        Month.parse(text, "until")


@pytest.mark.parametrize("name", ["", "Mars/Olympus", "../etc/passwd", "posix/UTC", "localtime", "Factory"])
def test_what_is_not_a_time_zone_is_refused(name: str) -> None:
    with pytest.raises(Problem, match="IANA", check=UNUSABLE_PARAMETER.matches):
        read_zone(name)


def test_a_month_is_complete_once_it_ended_in_the_zone() -> None:
    february, march = Month(2018, 2), Month(2018, 3)
    end = datetime(2018, 3, 1, 3, tzinfo=UTC)  # midnight in the shop

    assert complete_months(february, march, end, SHOP) == {february}
    assert complete_months(february, march, end.replace(hour=2, minute=59), SHOP) == set()
    assert complete_months(february, march, None, SHOP) == set()


def row(cohort: int, month: int, customers: int, net_sales: int = 0) -> dict[str, Any]:
    figures = {"customers": customers, "orders": customers, "net_sales": net_sales}
    return {"cohort": cohort, "month": month, **figures}


def test_a_cohort_has_every_month_up_to_the_last_one() -> None:
    rows = [row(201801, 201801, 4, 1_000), row(201801, 201803, 1, 101), row(201803, 201803, 2, -5)]
    complete = {Month(2018, 1), Month(2018, 2)}

    january, february, march = presenter.cohorts(rows, Month(2018, 3), complete)

    assert [each["retention"] for each in january["months"]] == [1.0, 0.0, 0.25]
    assert [each["cumulated_net_sales"] for each in january["months"]] == [1_000, 1_000, 1_101]
    assert [each["cumulated_per_customer"] for each in january["months"]] == [250, 250, 275]
    assert [each["complete"] for each in january["months"]] == [True, True, False]
    assert (february["customers"], february["months"][0]["retention"]) == (0, None)
    assert (march["months"][0]["cumulated_per_customer"], len(march["months"])) == (-2, 1)


def test_the_mean_retention_leaves_unfinished_months_out() -> None:
    rows = [row(201801, 201801, 4), row(201801, 201802, 1), row(201801, 201803, 4)]
    rows += [row(201802, 201802, 6), row(201802, 201803, 6)]
    shown = presenter.cohorts(rows, Month(2018, 3), {Month(2018, 1), Month(2018, 2)})

    assert presenter.mean_retention(shown) == [
        {"number": 1, "cohorts": 1, "customers": 4, "returned": 1, "retention": 0.25}
    ]


@given(st.dictionaries(st.tuples(st.integers(0, 30), st.integers(0, 30)), st.integers(0, 9), max_size=40))
def test_the_months_of_all_cohorts_add_up_to_the_rows(cells: dict[tuple[int, int], int]) -> None:
    first = Month(2016, 11)
    rows = [
        row(first.plus(cohort).yyyymm, first.plus(cohort + later).yyyymm, number, number * 7)
        for (cohort, later), number in cells.items()
    ]
    shown = presenter.cohorts(rows, first.plus(60), set())

    for figure in ("customers", "orders", "net_sales"):
        assert sum(month[figure] for each in shown for month in each["months"]) == sum(  # type: ignore[literal-required]
            each[figure] for each in rows
        )
    for each in shown:
        assert each["months"][-1]["cumulated_net_sales"] == sum(
            month["net_sales"] for month in each["months"]
        )


def test_every_pair_of_scores_is_in_one_segment_which_the_audit_names_as_well() -> None:
    for recency, value in product(SCORES, SCORES):
        [segment] = [each for each in SEGMENTS if each.has(recency, value)]
        assert segment_of(recency, value, value) == segment
        assert GRID[recency][value - 1] == segment.name


def test_segments_need_five_customers_and_share_all_of_them() -> None:
    scores = {"recency": 5, "frequency": 1, "monetary": 1, "orders": 1, "net_sales": 10}
    lost = scores | {"recency": 1, "customers": 1}

    assert presenter.segments([scores | {"customers": 3}, lost]) == []
    shown = {each["name"]: each for each in presenter.segments([scores | {"customers": 4}, lost])}
    assert len(shown) == len(SEGMENTS)
    assert (shown["new"]["customers"], shown["new"]["share"], shown["new"]["net_sales_share"]) == (
        4,
        0.8,
        0.5,
    )
    assert shown["hibernating"]["rule"] == "recency 1 to 2, value 1 to 2"
    assert (shown["champions"]["customers"], shown["champions"]["share"]) == (0, 0.0)


def test_a_colour_is_a_fifth_of_the_largest_value() -> None:
    assert [level(value, 10) for value in (None, -1, 0, 0.1, 1.9, 2, 9.9, 10)] == [
        0,
        0,
        0,
        1,
        1,
        2,
        5,
        LEVELS,
    ]
    assert level(0, 0) == 0


FEBRUARY_MS = 1_519_873_200_000 - 86_400_000  # 27 February 2018 in the shop


def order(shopper: str, number: int, days: int, gross: int = 0, currency: str = "BRL") -> dict[str, Any]:
    line = {"seller_id": "ana", "quantity": 1, "unit_price_minor": gross, "discount_minor": 0}
    placed_at = FEBRUARY_MS + days * 86_400_000
    return {
        "event_id": f"e{number}", "occurred_at": placed_at, "placed_at": placed_at, "order_id": f"o{number}",
        "shopper_id": shopper, "currency": currency, "lines": [line],
    }  # fmt: skip


def customers(
    orders: list[dict[str, Any]],
    cancelled: Sequence[dict[str, Any]] = (),
    refunds: Sequence[dict[str, Any]] = (),
) -> Customers:
    events = {
        "order_confirmed": orders,
        "order_cancelled": [each | {"confirmed_at": FEBRUARY_MS} for each in cancelled],
        "payment_refunded": refunds,
    }
    return customers_of(Shop(lambda kind: events[kind], "BRL", SHOP, 2 * FEBRUARY_MS))


def month_of(moment_ms: int) -> str:
    return f"{datetime.fromtimestamp(moment_ms / 1000, SHOP):%Y-%m}"


def test_the_plain_computation_leaves_cancelled_orders_and_foreign_customers_out_of_cohorts() -> None:
    gone, returned = order("ben", 3, 0, 300), order("ada", 2, 3, 200)
    orders = [
        order("ada", 1, 0, 100),
        returned,
        gone,
        order("ben", 4, 3, 400),
        order("fay", 5, 0, 500, "EUR"),
        order("fay", 6, 3, 600),
    ]
    refund = returned | {
        "return_id": "back",
        "seller_id": "ana",
        "lines": [{"refund_minor": 50, "marketplace_minor": None}],
    }

    found = cohorts(customers(orders, [gone], [refund]), month_of)

    assert sorted(
        (each["cohort"], each["month"], each["customers"], each["net_sales"]) for each in found
    ) == [
        ("2018-02", "2018-02", 1, 100),
        ("2018-02", "2018-03", 1, 150),
        ("2018-03", "2018-03", 1, 400),
    ]
    assert [each["per_customer"] for each in found if each["cohort"] == "2018-02"] == [100, 250]


def test_equal_values_have_the_lowest_score_that_they_allow() -> None:
    orders = [order(f"shopper-{number}", number, number) for number in range(10)]
    orders.append(order("shopper-0", 10, 20))
    groups = list(scored(customers(orders), {"shopper-0"}, {"shopper-9"}))

    of_others = {each["scores"]: each for each in by_scores(groups) if "erased" not in each["scores"]}
    # Nine customers who were not erased: eight ordered once, and shopper-0 a second time, as the last one.
    assert of_others["551"]["customers"] == 1
    assert of_others["551"]["guests"] == 0
    assert [of_others[scores]["customers"] for scores in ("111", "211", "311", "411")] == [2, 2, 2, 2]
    assert of_others["000"]["customers"] == 9
    segments = {each["segment"]: each["customers"] for each in by_segment(groups)}
    assert segments == {
        "all": 9, "erased": 1, "hibernating": 4, "about_to_sleep": 2, "promising": 2,
        "potential_loyalists": 1,
    }  # fmt: skip


def test_fewer_than_five_customers_have_no_segment() -> None:
    groups = scored(customers([order(f"s{number}", number, 0) for number in range(4)]), set(), set())

    assert [each["segment"] for each in by_segment(groups)] == ["all"]
