"""The rows of the API's answers, and the report of a comparison."""

import io
import json
from datetime import date, timedelta

import pyarrow as pa
import pytest
from rich.console import Console

from audit.comparison import ComparisonResult, ComparisonSpec
from audit.comparisons import facts_vs_seller_api
from audit.report import as_json, show, show_summary
from audit.sources.sales_api import MAX_DAYS, DayRange, sales_request, series_rows, totals_row
from audit.tables import compare_tables
from serving.kit.periods import MAX_BUCKETS

SUMS = {
    "orders": 1, "lines": 1, "units": 2, "gross_minor": 100, "discount_minor": 0, "shipping_minor": 7,
    "net_sales_minor": 0,
}  # fmt: skip
LOST = {
    "cancelled_orders": 1, "cancelled_gross_minor": 100, "cancelled_discount_minor": 0, "returned_minor": 0,
}  # fmt: skip
NOTHING = dict.fromkeys(SUMS, 0)
ANSWER = {
    "seller_id": "s1",
    "series": [
        {"start": "2018-06-01T00:00:00-03:00", **NOTHING, **dict.fromkeys(LOST, 0)},
        {"start": "2018-06-02T00:00:00-03:00", **SUMS, **LOST},
    ],
    "totals": {
        **SUMS,
        "cancelled": {"orders": 1, "units": 2, "gross_minor": 100, "discount_minor": 0, "shipping_minor": 7},
        "returned": {"units": 0, "refund_minor": 0},
    },
}
SPEC = ComparisonSpec("demo", "sales by day", "aggregates", "API", "seller days", ("seller_id", "day"))


def test_empty_buckets_of_an_answer_are_no_rows():
    [row] = series_rows("day", ANSWER)

    assert row["bucket"] == "2018-06-02"
    assert row["gross_minor"] == 100


def test_totals_are_named_as_the_columns_of_a_series():
    [row] = series_rows("month", ANSWER)

    assert totals_row(ANSWER).keys() == row.keys() - {"bucket"}


def test_a_day_range_covers_whole_months_and_the_end_of_the_year():
    assert DayRange.of_months("2017-11-24", "2017-12-31") == DayRange(date(2017, 11, 1), date(2018, 1, 1))


@pytest.mark.parametrize("days", [1, 999, 1_000, 1_001, 3_700])
def test_a_range_is_requested_in_parts_that_the_api_serves(days: int) -> None:
    whole = DayRange(date(2016, 9, 1), date(2016, 9, 1) + timedelta(days=days))

    parts = list(whole.parts())

    assert [part.first for part in parts] == [whole.first, *(part.last for part in parts[:-1])]
    assert parts[-1].last == whole.last
    assert all(0 < (part.last - part.first).days <= MAX_DAYS for part in parts)
    assert MAX_DAYS <= MAX_BUCKETS


def test_a_request_names_the_seller_and_the_days():
    question = sales_request("sellers/s1", DayRange(date(2018, 6, 1), date(2018, 7, 1)), "day")

    assert question.path == "/v1/sellers/s1/sales"
    assert question.query == {"from": "2018-06-01", "to": "2018-07-01", "grain": "day"}


def test_a_seller_without_sales_has_totals_of_zero():
    row = {"seller_id": "s1", "bucket": "2018-06", **SUMS, **LOST}
    months = pa.Table.from_pylist([row, {**row, "bucket": "2018-07"}])
    sellers = pa.table({"seller_id": ["s1", "s2"]})

    totals = {row["seller_id"]: row for row in facts_vs_seller_api.totals(months, sellers).to_pylist()}

    assert totals["s1"]["gross_minor"] == 200
    assert totals["s2"]["gross_minor"] == 0


def differing():
    left = pa.table({"seller_id": ["s1"], "day": ["2018-06-01"], "gross_minor": [12_990]})
    right = pa.table({"seller_id": ["s1"], "day": ["2018-06-01"], "gross_minor": [12_991]})
    return compare_tables(SPEC, left, right)


def printed(print_it):
    console = Console(width=200, record=True, file=io.StringIO())
    print_it(console)
    return console.export_text()


def test_the_report_names_the_stores_the_row_and_both_figures():
    text = printed(lambda console: show(differing(), "BRL", console))

    assert "aggregates → API" in text
    assert "seller_id=s1 day=2018-06-01 gross_minor: aggregates 12990, API 12991" in text
    assert "gross 129.90 ≠ 129.91" in text


def test_comparing_empty_stores_is_not_reported_as_agreement():
    text = printed(lambda console: show_summary([ComparisonResult(SPEC)], console))

    assert "nothing to compare" in text
    assert "0 differences" not in text


def test_the_json_says_what_the_report_says():
    told = json.loads(as_json([differing(), ComparisonResult(SPEC)], settled=True))

    assert told["differences"] == 1
    assert [each["verdict"] for each in told["comparisons"]] == ["differ", "nothing to compare"]
    assert told["comparisons"][0]["differences"][0]["right"] == 12_991
