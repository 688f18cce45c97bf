"""Totals, series, changes, cursors, parameters, and their formatting."""

import re
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.cursor import BadCursor, decode_moment, encode_cursor, encode_moment
from common.ids import new_id
from common.problems import Problem
from serving.analytics import sales
from serving.analytics.orders import order
from serving.analytics.sales_schemas import Bucket
from serving.kit.analytics_context import PeriodRequest
from serving.kit.clickhouse import encode_parameter
from serving.kit.names import ProductName
from serving.kit.parameters import read_row_cursor, row_cursor
from serving.kit.periods import Grain, Period, buckets, midnight
from serving.kit.problems import BAD_PERIOD
from serving.web.formatter import Formatter, place, seller_name, short_id, words
from serving.web.presenters import (
    Preset,
    axis,
    chart_values,
    custom_period,
    drawn_buckets,
    grains,
    net_sales_note,
    preset_period,
    unfinished,
)
from serving.web.renderer import code, embed

SHOP = ZoneInfo("America/Sao_Paulo")
DAYS = Period(midnight(date(2018, 8, 1), SHOP), midnight(date(2018, 8, 4), SHOP))
FORMATTER = Formatter("en", "BRL", SHOP)


def sold(day: int, orders: int, gross: int, discount: int = 0) -> dict[str, int]:
    return {
        "bucket": int(midnight(date(2018, 8, day), SHOP).timestamp()),
        "orders": orders,
        "lines": orders,
        "units": orders,
        "gross_minor": gross,
        "discount_minor": discount,
        "shipping_minor": 0,
        "cancelled_orders": 0,
        "cancelled_units": 0,
        "cancelled_gross_minor": 0,
        "cancelled_discount_minor": 0,
        "cancelled_shipping_minor": 0,
        "returned_units": 0,
        "returned_minor": 0,
        "revenue_minor": gross - discount,
    }


def test_empty_buckets_are_in_the_series_too() -> None:
    series = sales.series([sold(2, 1, 500)], buckets(DAYS, "day", SHOP), DAYS, SHOP)
    assert [bucket["net_sales_minor"] for bucket in series] == [0, 500, 0]
    assert [bucket["revenue_minor"] for bucket in series] == [0, 500, 0]  # the former name


def test_net_sales_are_gross_less_discounts_under_both_names() -> None:
    totals = sales.totals([sold(1, 2, 1000, 100), sold(3, 1, 50)])
    assert (totals["gross_minor"], totals["discount_minor"], totals["net_sales_minor"]) == (1050, 100, 950)
    assert totals["revenue_minor"] == 950


@pytest.mark.parametrize(("revenue", "orders", "average"), [(100, 3, 33), (101, 2, 51), (0, 0, None)])
def test_the_average_order_is_rounded_half_up(revenue: int, orders: int, average: int | None) -> None:
    assert sales.totals([sold(1, orders, revenue)])["average_order_minor"] == average


def test_the_first_bucket_never_begins_before_the_period() -> None:
    series = sales.series([], buckets(DAYS, "month", SHOP), DAYS, SHOP)
    assert (series[0]["start"], series[0]["end"]) == (DAYS.start, DAYS.end)


@pytest.mark.parametrize(
    ("minutes", "grain", "ours"), [(0, "day", True), (-60, "day", False), (60, "hour", True)]
)
def test_a_day_that_begins_at_another_moment_for_clickhouse_is_noticed(
    minutes: int, grain: Grain, ours: bool
) -> None:
    zone = ZoneInfo("America/Vancouver")
    days = [midnight(date(2026, 12, day), zone) for day in (1, 2)]
    rows = [{"bucket": str(int((day + timedelta(minutes=minutes)).timestamp()))} for day in days]

    assert sales.days_match_zone(rows, grain, zone) is ours


def test_days_are_of_the_period_in_which_they_begin() -> None:
    first = midnight(date(2018, 11, 4), SHOP)  # it begins at one o'clock
    before, period = Period(first - timedelta(days=2), first), Period(first, first + timedelta(days=2))
    buckets_at = [first + timedelta(hours=hours) for hours in (-49, -48, -24, 0, 23)]
    rows = [{"bucket": str(int(at.timestamp())), "is_current": 0} for at in buckets_at]

    told = sales.repartition(rows, period, before)

    assert [row["bucket"] for row in told] == [row["bucket"] for row in rows[1:]]
    assert [row["is_current"] for row in told] == [False, False, True, True]


def test_no_change_is_told_against_nothing() -> None:
    assert sales.change(5, 0) is None
    assert sales.change(3, 2) == 0.5


@given(order_id=st.text(min_size=1), millis=st.integers(0, 4_000_000_000_000))
def test_a_cursor_comes_back_as_it_was_written(order_id: str, millis: int) -> None:
    placed_at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=millis)
    assert read_row_cursor(row_cursor(placed_at, order_id)) == (placed_at, order_id)


@pytest.mark.parametrize(
    "cursor", ["x", "é", "MTIz", "LTk5OTk5OTk5OTk5OTk5OS54", "99999999999999999999.a", "===="]
)
def test_a_foreign_cursor_is_refused(cursor: str) -> None:
    with pytest.raises(BadCursor):
        read_row_cursor(cursor)


@given(moment=st.datetimes(timezones=st.just(UTC)), row_id=st.uuids().map(str))
def test_a_cursor_of_a_moment_comes_back_as_it_was_written(moment: datetime, row_id: str) -> None:
    assert decode_moment(encode_moment(moment, row_id)) == (moment, row_id)


@pytest.mark.parametrize(
    "cursor",
    [
        encode_cursor("2026-01-01", new_id()),
        encode_cursor("soon", new_id()),
        encode_cursor("2026-01-01T00:00:00+00:00", new_id().upper()),
        encode_cursor("2026-01-01T00:00:00+00:00", "x" * 36),
        encode_cursor(1, new_id()),
    ],
)
def test_a_cursor_without_a_moment_and_an_id_is_refused(cursor: str) -> None:
    with pytest.raises(BadCursor):
        decode_moment(cursor)


def test_an_order_whose_state_is_still_on_the_way_is_placed() -> None:
    row = {
        "placed_ms": 1535544851000,
        "order_id": "o",
        "currency": "BRL",
        "lines": [[1, "p", 2, 10, 20, 5, 3]],
    }
    shown = order(row, {}, {"p": ProductName("Lamp", None)}, SHOP)
    assert (shown["status"], shown["units"], shown["revenue_minor"]) == ("placed", 2, 15)
    assert shown["lines"][0]["name"] == "Lamp"


@pytest.mark.parametrize(
    ("state", "status"),
    [
        ({"status": "confirmed"}, "confirmed"),
        ({"status": "shipped", "shipped_ms": 5}, "shipped"),
        ({"status": "delivered", "shipped_ms": 5, "delivered_ms": 6}, "delivered"),
        ({"status": "shipped", "shipped_ms": None}, "confirmed"),
        ({"status": "delivered", "shipped_ms": None, "delivered_ms": None}, "confirmed"),
        ({"status": "delivered", "shipped_ms": 5, "delivered_ms": None}, "shipped"),
        ({"status": "cancelled", "shipped_ms": 5, "delivered_ms": 6}, "cancelled"),
        ({"status": None, "shipped_ms": 5}, "shipped"),
    ],
)
def test_an_order_is_as_far_as_the_sellers_own_parcel_of_it(state: dict[str, Any], status: str) -> None:
    row = {"order_id": "o", "placed_ms": 0, "currency": "BRL", "lines": []}
    assert order(row, state, {}, SHOP)["status"] == status


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("a'b", "a'b"),
        ("a\tb\\", "a\\tb\\\\"),
        (["a'b", "c\\"], "['a\\'b','c\\\\']"),
        (datetime(2018, 3, 1, 3, tzinfo=UTC), "2018-03-01 03:00:00"),
        (datetime(2018, 3, 1, 0, 0, 0, 5000, tzinfo=SHOP), "2018-03-01 03:00:00.005"),
        (7, "7"),
        ([7, -1], "[7,-1]"),
    ],
)
def test_parameters_are_written_as_clickhouse_reads_them(
    value: str | int | datetime | list[str] | list[int], written: str
) -> None:
    assert encode_parameter(value) == written


def test_money_and_numbers_are_written_as_the_locale_does() -> None:
    assert FORMATTER.money(1435200) == "R$14,352.00"
    assert Formatter("pt_BR", "BRL", SHOP).money(1435200) == "R$\xa014.352,00"
    assert Formatter("en", "JPY", SHOP).money(14352) == "¥14,352"
    assert (FORMATTER.percent(-0.0471), FORMATTER.percent(12.345)) == ("4.7%", "1,234%")
    assert [FORMATTER.change(ratio) for ratio in (-0.0471, 8.9, 12.49)] == ["4.7%", "890%", "13×"]
    hours = [FORMATTER.hours(each) for each in (0.0, 0.001, 0.2, 4.5, 80.0)]
    assert hours == ["0 s", "4 s", "12 min", "4.5 h", "3.3 d"]
    assert (FORMATTER.country("BR"), FORMATTER.country("ZX")) == ("Brazil (BR)", "ZX")


def test_a_moment_is_written_to_the_minute_as_each_shop_s_clock_shows_it() -> None:
    moment = datetime(2018, 8, 29, 12, 14, 59, 999_999, tzinfo=UTC)
    shops = [
        FORMATTER,
        Formatter("en", "BRL", ZoneInfo("Asia/Tokyo")),
        Formatter("de", "BRL", SHOP),
        FORMATTER,
    ]

    assert [formatter.time(moment).replace("\u202f", " ") for formatter in shops] == [
        "Aug 29, 2018, 9:14 AM", "Aug 29, 2018, 9:14 PM", "29.08.2018, 09:14", "Aug 29, 2018, 9:14 AM",
    ]  # fmt: skip
    assert FORMATTER.axis(moment, "day") == "Aug 29"
    assert shops[1].axis(datetime(2018, 8, 29, 16, tzinfo=UTC), "day") == "Aug 30"


def test_ids_of_one_moment_are_told_apart_when_they_are_shortened() -> None:
    ids = [new_id() for _ in range(100)]
    assert len({short_id(one) for one in ids}) == 100
    assert short_id("product-00042") == "product-00042"


def test_a_period_in_words_ends_on_its_last_day() -> None:
    assert FORMATTER.span(DAYS.start, DAYS.end) == "Aug 1 – Aug 3, 2018"


def test_an_instant_ago_is_just_now() -> None:
    now = datetime(2018, 8, 29, tzinfo=UTC)
    assert FORMATTER.ago(now - timedelta(seconds=2), now) == "just now"
    assert FORMATTER.ago(now - timedelta(minutes=3), now) == "3 minutes ago"


def test_names_are_written_for_people() -> None:
    assert words("watches_gifts") == "Watches gifts"
    assert place("lauro de freitas", "BA") == "Lauro de Freitas, BA"
    assert place(None, None) == ""
    assert seller_name(None, "6560211a19b4") == "Seller 6560211a"


def test_embedded_json_can_not_close_its_script() -> None:
    assert "</script>" not in embed({"name": "</script><script>alert(1)"})


def test_backticks_become_code_and_markup_stays_text() -> None:
    assert code("`from` <b>") == "<code>from</code> &lt;b&gt;"


def test_the_last_day_of_a_custom_period_is_part_of_it() -> None:
    asked = custom_period("2018-08-01", "2018-08-31", FORMATTER)
    assert (asked.start, asked.end) == ("2018-08-01", "2018-09-01")


@pytest.mark.parametrize(
    ("preset", "bounds"),
    [
        ("today", ("2018-08-31", "2018-09-01")),  # 23:30 in Brazil, and September in UTC
        ("month", ("2018-08-01", "2018-09-01")),
        ("7d", ("2018-08-23", "2018-08-30")),  # up to the newest sale
        ("all", ("2018-05-01", "2018-08-30")),
    ],
)
def test_today_and_this_month_are_those_of_the_clock_and_days_end_with_the_newest_sale(
    preset: Preset, bounds: tuple[str, str]
) -> None:
    first, newest = datetime(2018, 5, 1, 12, tzinfo=UTC), datetime(2018, 8, 29, 12, tzinfo=UTC)
    now = datetime(2018, 9, 1, 2, 30, tzinfo=UTC)
    asked = preset_period(preset, first, newest, now, FORMATTER)

    assert (asked.start, asked.end) == bounds


def test_without_a_sale_there_is_a_today_but_no_newest_day() -> None:
    now = datetime(2018, 12, 31, 15, tzinfo=UTC)

    assert preset_period("month", None, None, now, FORMATTER) == PeriodRequest("2018-12-01", "2019-01-01")
    assert preset_period("7d", None, None, now, FORMATTER) == PeriodRequest()


@pytest.mark.parametrize(
    ("first", "last", "said"),
    [
        ("2018-08-05", "2018-08-01", "The first day (Aug 5, 2018) is after the last (Aug 1, 2018)"),
        ("soon", "", "“soon” is not a day"),
        ("", "9999-12-31", "too far away"),
    ],
)
def test_days_that_make_no_period_are_refused_in_a_persons_words(first: str, last: str, said: str) -> None:
    with pytest.raises(Problem, match=re.escape(said), check=BAD_PERIOD.matches):
        custom_period(first, last, FORMATTER)


def test_a_cancelled_line_with_a_voucher_leaves_no_net_sales_and_the_page_says_of_what() -> None:
    line = {"orders": 1, "lines": 1, "units": 1, "gross_minor": 10_000, "discount_minor": 1_000}
    gone = {"cancelled_orders": 1, "cancelled_gross_minor": 10_000, "cancelled_discount_minor": 1_000}
    totals = sales.totals([sold(1, 0, 0) | line | gone | {"revenue_minor": 0}])

    assert (totals["net_sales_minor"], totals["average_order_minor"]) == (0, None)
    assert net_sales_note(totals, FORMATTER) == "R$90.00 less R$90.00 cancelled"


def test_net_sales_say_what_was_taken_off_and_nothing_where_nothing_was() -> None:
    lost = {"cancelled_gross_minor": 65391, "returned_units": 1, "returned_minor": 4_000}
    some = sales.totals([sold(1, 2, 99999) | lost])

    assert net_sales_note(some, FORMATTER) == "R$999.99 less R$653.91 cancelled, R$40.00 returned"
    assert net_sales_note(sales.totals([sold(1, 2, 99999)]), FORMATTER) == ""


def test_hours_of_several_days_show_their_days() -> None:
    hours = buckets(DAYS, "hour", SHOP)
    labels, ticks = axis(hours, "hour", FORMATTER)
    assert ticks == [0, 12, 24, 36, 48, 60]
    assert [labels[index] for index in ticks[::2]] == ["Aug 1", "Aug 2", "Aug 3"]


def test_the_hour_that_happens_twice_is_told_apart() -> None:
    first = datetime(2018, 2, 18, 1, tzinfo=UTC)
    names = [FORMATTER.bucket(first + timedelta(hours=more), first, "hour") for more in (0, 1, 2)]
    assert len(set(names)) == 3
    assert [name.endswith(("(UTC-02:00)", "(UTC-03:00)")) for name in names] == [True, True, False]


@pytest.mark.parametrize(
    ("grain", "as_of", "cut"),
    [
        ("day", datetime(2018, 8, 5, tzinfo=UTC), (False, False)),
        ("day", datetime(2018, 8, 3, 20, tzinfo=UTC), (False, True)),
        ("week", datetime(2018, 8, 5, tzinfo=UTC), (True, True)),
        ("day", None, (False, False)),
    ],
)
def test_buckets_that_are_not_whole_are_known(
    grain: Grain, as_of: datetime | None, cut: tuple[bool, bool]
) -> None:
    series = sales.series([], buckets(DAYS, grain, SHOP), DAYS, SHOP)
    assert tuple(unfinished(series, grain, as_of, SHOP).values()) == cut


def days(*orders: int) -> list[Bucket]:
    rows = [sold(day, count, count * 100) for day, count in enumerate(orders, 1)]
    period = Period(midnight(date(2018, 8, 1), SHOP), midnight(date(2018, 8, 1 + len(orders)), SHOP))
    return sales.series(rows, buckets(period, "day", SHOP), period, SHOP)


@pytest.mark.parametrize(
    ("orders", "as_of", "drawn"),
    [
        ((1, 1, 1, 0, 0), datetime(2018, 8, 3, 12, tzinfo=SHOP), range(3)),
        ((1, 1, 0, 0, 0), datetime(2018, 8, 3, 12, tzinfo=SHOP), range(3)),
        ((1, 1, 1, 1, 0), datetime(2018, 8, 3, 12, tzinfo=SHOP), range(4)),
        ((1, 1, 1), datetime(2018, 9, 1, tzinfo=SHOP), range(3)),
        ((0, 0, 0), datetime(2018, 7, 1, tzinfo=SHOP), range(3)),
        ((1, 1, 1), None, range(3)),
    ],
)
def test_the_line_of_a_chart_ends_at_the_moment_up_to_which_figures_are_complete(
    orders: tuple[int, ...], as_of: datetime | None, drawn: range
) -> None:
    assert drawn_buckets(days(*orders), as_of) == drawn


@pytest.mark.parametrize(
    ("orders", "drawn"), [((0, 0, 0, 1, 1), range(2, 5)), ((1, 0, 0, 1, 1), range(5)), ((0, 0), range(1, 2))]
)
def test_the_line_of_a_chart_begins_on_the_day_on_which_the_seller_registered(
    orders: tuple[int, ...], drawn: range
) -> None:
    since = datetime(2018, 8, 3, 9, tzinfo=SHOP)
    assert drawn_buckets(days(*orders), datetime(2018, 9, 1, tzinfo=SHOP), since) == drawn


def test_what_is_not_drawn_has_no_value_instead_of_zero() -> None:
    assert chart_values(days(0, 2, 0), range(1, 2))["orders"] == [None, 2, None]


def test_only_grains_that_draw_a_period_well_are_offered() -> None:
    assert grains(DAYS.start, DAYS.start + timedelta(days=30)) == ["day", "week"]
