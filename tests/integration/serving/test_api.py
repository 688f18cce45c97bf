"""The API over real stores: exact figures, changing clocks, bad input."""

import csv
import io
import re
from collections.abc import Callable
from datetime import datetime
from html import unescape
from time import monotonic, sleep
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from clickhouse.migration_state import FOLDER
from common.migrations import read_migrations
from common.request_path import in_path
from common.settings import Settings
from serving.kit.watermarks import REFRESH_INTERVAL_S
from tests.csv_cells import cell
from tests.integration.servers import TEST_TIMEOUT_S, await_true
from tests.integration.serving.conftest import LoneApi, ask
from tests.principals import bearer

ODD = "o'hara\\"
Add = Callable[[str, list[Any]], None]


def sales(api: httpx.Client, seller: str = "ana", **asked: str) -> dict[str, Any]:
    response = api.get(f"/v1/sellers/{quote(seller, safe='')}/sales", params=asked)
    assert response.status_code == 200, response.text
    found: dict[str, Any] = response.json()
    return found


def revenue(answer: dict[str, Any]) -> dict[str, int]:
    return {b["start"]: b["revenue_minor"] for b in answer["series"] if b["revenue_minor"]}


def test_a_skipped_midnight_parts_two_days(api: httpx.Client) -> None:
    days = sales(api, **{"from": "2017-10-14", "to": "2017-10-16", "grain": "day"})
    assert revenue(days) == {"2017-10-14T00:00:00-03:00": 1000, "2017-10-15T01:00:00-02:00": 1500}


def test_an_hour_that_happens_twice_is_two_hours(api: httpx.Client) -> None:
    hours = sales(api, **{"from": "2018-02-17", "to": "2018-02-19", "grain": "hour"})
    assert len(hours["series"]) == 49
    assert revenue(hours) == {
        "2018-02-17T23:00:00-02:00": 300,
        "2018-02-17T23:00:00-03:00": 400,
    }
    midnight = next(b for b in hours["series"] if b["start"] == "2018-02-18T00:00:00-03:00")
    assert (midnight["gross_minor"], midnight["cancelled_gross_minor"], midnight["revenue_minor"]) == (
        5000,
        5000,
        0,
    )


def test_weeks_and_months_hold_the_same_money(api: httpx.Client) -> None:
    whole = {"from": "2017-10-01", "to": "2018-03-01"}
    weeks, months = sales(api, **whole, grain="week"), sales(api, **whole, grain="month")
    assert revenue(weeks) == {
        "2017-10-09T00:00:00-03:00": 2500,
        "2018-02-12T00:00:00-02:00": 700,
    }
    assert revenue(months) == {"2017-10-01T00:00:00-03:00": 2500, "2018-02-01T00:00:00-02:00": 700}
    assert weeks["totals"] == months["totals"]
    assert months["totals"]["cancelled"] == {
        "orders": 1,
        "units": 1,
        "gross_minor": 5000,
        "discount_minor": 0,
        "shipping_minor": 0,
    }


def test_a_period_is_compared_with_the_one_before(api: httpx.Client) -> None:
    answer = sales(api, **{"from": "2018-02-18", "to": "2018-02-19"})
    assert answer["previous"]["period"] == {
        "from": "2018-02-17T00:00:00-02:00",
        "to": "2018-02-18T00:00:00-03:00",
    }
    assert (answer["totals"]["revenue_minor"], answer["previous"]["totals"]["revenue_minor"]) == (0, 700)
    assert answer["change"]["cancelled_orders"] is None


def test_an_unfinished_period_is_compared_up_to_the_same_moment_of_the_period_before(
    api: httpx.Client, add: Add
) -> None:
    add("seller_sales_minute", ["ana", "2018-02-17 04:00:00", "BRL", 1, 1, 1, 1000, 0, 0, 0, 0, 0, 0])
    answer = sales(api, **{"from": "2018-02-18", "to": "2018-02-19"})
    assert answer["as_of"] == "2018-02-18T02:59:00-03:00"
    assert answer["previous"]["totals"]["revenue_minor"] == 1700
    assert (answer["change"]["gross_minor"], answer["change"]["revenue_minor"]) == (4.0, -1.0)
    assert answer["compared"]["totals"]["revenue_minor"] == 1000
    assert answer["compared"]["period"] == {
        "from": "2018-02-17T00:00:00-02:00",
        "to": "2018-02-17T02:59:00-02:00",
    }


def test_a_period_that_is_over_is_compared_with_the_whole_period_before(api: httpx.Client) -> None:
    answer = sales(api, **{"from": "2018-02-17", "to": "2018-02-18"})
    assert answer["compared"]["period"] == answer["previous"]["period"]
    assert answer["compared"]["totals"] == answer["previous"]["totals"]


def test_an_unfinished_period_of_the_marketplace_is_compared_up_to_the_same_moment(
    api: httpx.Client, add: Add
) -> None:
    for minute, revenue in (("2018-02-17 04:00:00", 1000), ("2018-02-17 20:00:00", 9000)):
        figures = [1, 1, 1, revenue, 0, 0, 0, 0, 0, 0]
        add("marketplace_sales_minute", [minute, "BRL", *figures, revenue])
        add("seller_sales_minute", [f"of-{revenue}", minute, "BRL", *figures])
    add("payments_minute", ["2018-02-17 04:30:00", "credit_card", "BRL", 1, 1000])
    add("payments_minute", ["2018-02-17 20:00:00", "credit_card", "BRL", 1, 9000])
    add("pipeline_progress", ["payment_captured", 0, 1, "2018-02-18 07:00:00.000", 1])

    def answered() -> dict[str, Any]:
        period = {"from": "2018-02-18", "to": "2018-02-19"}
        found: dict[str, Any] = api.get("/v1/marketplace/sales", params=period).raise_for_status().json()
        return found

    await_true(lambda: answered()["as_of"] == "2018-02-18T02:59:00-03:00", "the progress of payments")
    answer = answered()
    compared = answer["compared"]["totals"]
    assert (compared["revenue_minor"], compared["active_sellers"]) == (1000, 1)
    assert compared["payments"] == {"payments": 1, "amount_minor": 1000}
    assert (answer["change"]["gross_minor"], answer["change"]["revenue_minor"]) == (4.7, -1.2)


def test_until_is_the_last_day_and_to_the_day_after_it(api: httpx.Client) -> None:
    by_to = sales(api, **{"from": "2018-02-17", "to": "2018-02-19"})
    assert sales(api, **{"from": "2018-02-17", "until": "2018-02-18"}) == by_to
    for path in ("products/top", "orders"):
        answers = [
            api.get(f"/v1/sellers/ana/{path}", params={"from": "2018-02-17", **end}).raise_for_status().json()
            for end in ({"to": "2018-02-18"}, {"until": "2018-02-17"})
        ]
        assert answers[0] == answers[1]


@pytest.mark.parametrize("path", ["/v1/sellers/ana/sales", "/sell/ana"])
def test_to_and_until_together_are_refused(api: httpx.Client, path: str) -> None:
    answer = api.get(path, params={"from": "2018-02-17", "to": "2018-02-19", "until": "2018-02-18"})
    assert answer.status_code == 422
    assert "until is the last day" in answer.text


CSV = {"Accept": "text/csv"}


@pytest.mark.parametrize(
    ("path", "rows", "column"),
    [
        ("/v1/sellers/ana/sales?from=2018-02-17&to=2018-02-19&grain=day", 2, "revenue"),
        ("/v1/sellers/ana/products/top", 2, "product_id"),
        ("/v1/sellers/ana/orders", 5, "line_shipping"),
        ("/v1/sellers", 3, "city"),
        ("/v1/marketplace/sales?from=2018-02-17&to=2018-02-19&grain=day", 2, "units"),
        ("/v1/products/popular", 2, "score"),
        ("/v1/products", 0, "name"),
        ("/v1/categories", 0, "products"),
    ],
)
def test_a_list_is_csv_for_a_client_that_prefers_it(
    api: httpx.Client, path: str, rows: int, column: str
) -> None:
    answer = api.get(path, headers=CSV).raise_for_status()
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert answer.headers["Vary"] == "Accept"
    table = list(csv.DictReader(io.StringIO(answer.text, newline="")))
    assert len(table) >= rows if column in ("city", "name", "products", "score") else len(table) == rows
    assert all(row[column] is not None and None not in row for row in table)
    assert not [name for row in table for name in row if name.endswith("_minor")]
    assert api.get(path).headers["Content-Type"] == "application/json"
    again = api.get(path, headers=CSV | {"If-None-Match": answer.headers["ETag"]})
    assert again.status_code == 304


def test_the_csv_of_a_series_has_the_figures_of_the_json(api: httpx.Client) -> None:
    path, asked = "/v1/sellers/ana/sales", {"from": "2018-02-17", "to": "2018-02-19"}
    series = api.get(path, params=asked).json()["series"]
    answer = api.get(path, params=asked, headers=CSV)
    table = list(csv.DictReader(io.StringIO(answer.text, newline="")))
    assert table == [
        {name.removesuffix("_minor"): cell(bucket[name], is_money=name.endswith("_minor")) for name in bucket}
        | {"currency": "BRL"}
        for bucket in series
    ]
    assert answer.headers["Souk-As-Of"] == "2018-02-18T02:59:00-03:00"


def test_a_page_of_csv_links_to_the_next(api: httpx.Client) -> None:
    seen, path = [], "/v1/sellers/ana/orders?limit=1"
    while path:
        answer = api.get(path, headers=CSV).raise_for_status()
        seen += [row["order_id"] for row in csv.DictReader(io.StringIO(answer.text, newline=""))]
        path = answer.links["next"]["url"] if "next" in answer.links else ""
    assert seen == ["order-3", "order-2b", "order-2a", "order-1", "order-1"]


def test_a_period_left_open_ends_with_the_newest_sale(api: httpx.Client) -> None:
    assert sales(api)["period"] == {"from": "2018-01-20T00:00:00-02:00", "to": "2018-02-19T00:00:00-03:00"}


def test_as_of_is_the_smallest_of_the_current_subtasks(api: httpx.Client) -> None:
    assert datetime.fromisoformat(sales(api)["as_of"]).isoformat() == "2018-02-18T02:59:00-03:00"


def readings(api: httpx.Client) -> float:
    """How often `as_of` was read from ClickHouse."""
    line = 'souk_query_seconds_count{query="as_of"} '
    told = api.get("/metrics").raise_for_status().text
    return sum(float(found.removeprefix(line)) for found in told.splitlines() if found.startswith(line))


def test_as_of_follows_its_table_but_is_not_read_for_every_answer(
    api: httpx.Client, shop: Settings, add: Add
) -> None:
    sales(api)
    for subtask in (0, 1):
        add("pipeline_progress", ["order_confirmed", subtask, 2, "2018-02-18 10:00:00.000", 9])
    before, began = readings(api), monotonic()
    answers = [sales(api)["as_of"]]
    while answers[-1] != "2018-02-18T07:00:00-03:00" or monotonic() - began < 2 * REFRESH_INTERVAL_S:
        assert monotonic() - began < TEST_TIMEOUT_S, answers[-1]
        sleep(0.02)
        answers.append(sales(api)["as_of"])

    read = readings(api) - before
    assert read <= 1 + shop.serving_processes * (2 + (monotonic() - began) / REFRESH_INTERVAL_S)


def test_as_of_is_read_on_for_whoever_asks_next_and_not_for_ever(api: httpx.Client) -> None:
    def read_on() -> bool:
        before = readings(api)
        sleep(2 * REFRESH_INTERVAL_S)
        return readings(api) > before + 1  # /metrics reads `as_of` too, to report whether ClickHouse is ready

    def read_on_after_an_answer() -> bool:
        sales(api)
        return read_on()

    await_true(read_on_after_an_answer, "another reading after an answer")
    await_true(lambda: not read_on(), "the end of the readings")


def test_a_figure_one_of_whose_tables_was_never_written_has_no_as_of(api: httpx.Client) -> None:
    assert api.get("/v1/marketplace/sales").json()["as_of"] is None


@pytest.mark.parametrize(("payments", "as_of"), [("04:30", "01:30"), ("08:00", "02:59")])
def test_as_of_is_the_smallest_of_all_its_tables(
    api: httpx.Client, add: Add, payments: str, as_of: str
) -> None:
    add("pipeline_progress", ["payment_captured", 0, 1, f"2018-02-18 {payments}:00.000", 1])

    def said() -> bool:
        found: str = api.get("/v1/marketplace/sales").json()["as_of"]
        return found == f"2018-02-18T{as_of}:00-03:00"

    await_true(said, "as_of")


def test_an_id_full_of_quotes_is_only_an_id(api: httpx.Client) -> None:
    assert sales(api, ODD)["totals"]["gross_minor"] == 700


def test_a_seller_who_has_not_sold_is_known(api: httpx.Client) -> None:
    assert sales(api, "new")["totals"]["orders"] == 0


def test_the_marketplace_counts_orders_without_lines_and_sellers_and_payments(api: httpx.Client) -> None:
    totals = api.get("/v1/marketplace/sales", params={"from": "2018-02-01", "to": "2018-03-01"}).json()[
        "totals"
    ]
    assert (totals["orders"], totals["active_sellers"]) == (2, 2)
    assert totals["payments"] == {"payments": 2, "amount_minor": 5800}


def test_top_products_are_ranked_by_what_is_asked(api: httpx.Client) -> None:
    by_revenue = api.get("/v1/sellers/ana/products/top").json()["products"]
    by_units = api.get("/v1/sellers/ana/products/top", params={"by": "units"}).json()["products"]
    assert [p["product_id"] for p in by_revenue] == ["lamp", "chair"]
    assert [p["product_id"] for p in by_units] == ["chair", "lamp"]
    assert (by_revenue[0]["name"], by_revenue[1]["name"]) == ("Lamp", None)


def test_orders_come_page_by_page_each_once_with_this_sellers_lines_only(api: httpx.Client) -> None:
    seen, cursor = [], None
    while True:
        asked = {"limit": "1"} | ({"cursor": cursor} if cursor else {})
        page = api.get("/v1/sellers/ana/orders", params=asked).json()
        seen += page["orders"]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert [order["order_id"] for order in seen] == ["order-3", "order-2b", "order-2a", "order-1"]
    assert [len(order["lines"]) for order in seen] == [1, 1, 1, 2]
    assert [order["status"] for order in seen] == ["cancelled", "placed", "placed", "placed"]
    assert (seen[3]["revenue_minor"], seen[3]["units"]) == (1500, 3)


def test_sellers_of_one_order_each_see_how_far_their_own_parcel_is(api: httpx.Client, add: Add) -> None:
    for number, seller in enumerate(("ana", ODD), 1):
        placed = "2018-02-18 03:10:00.000"
        add("order_lines", [seller, placed, "shared", number, "lamp", 1, 5000, 5000, 0, 0])
    add("order_state", ["shared", "shipped", None, {ODD: "2018-02-18 03:20:00.000"}, {}])
    add("order_state", ["shared", "delivered", None, {}, {ODD: "2018-02-18 03:30:00.000"}])
    seen = [
        api.get(f"/v1/sellers/{quote(seller, safe='')}/orders", params={"limit": "1"}).json()["orders"][0]
        for seller in ("ana", ODD)
    ]
    assert [(one["status"], one["shipped_at"], one["delivered_at"]) for one in seen] == [
        ("confirmed", None, None),
        ("delivered", "2018-02-18T00:20:00-03:00", "2018-02-18T00:30:00-03:00"),
    ]


def test_popular_products_are_ranked_relative_to_the_best(api: httpx.Client) -> None:
    products = api.get("/v1/products/popular").json()["products"]
    assert [(p["rank"], p["product_id"], p["score"]) for p in products] == [
        (1, "lamp", 1.0),
        (2, "chair", 0.25),
    ]


@pytest.mark.parametrize("asked", ["an", "ANA", "SAO PAULO", "São", "são paulo sp"])
def test_sellers_are_found_by_id_name_and_city_with_or_without_accents(api: httpx.Client, asked: str) -> None:
    assert "ana" in [s["seller_id"] for s in api.get("/v1/sellers", params={"q": asked}).json()["sellers"]]


def test_sellers_come_best_selling_first_and_those_without_sales_last(api: httpx.Client) -> None:
    assert [s["seller_id"] for s in api.get("/v1/sellers").json()["sellers"]] == ["ana", ODD, "new"]


@pytest.mark.parametrize(
    ("path", "status", "said"),
    [
        ("/v1/sellers/nobody/sales", 404, "GET /v1/sellers?q="),
        ("/v1/sellers/nobody/orders", 404, "GET /v1/sellers?q="),
        ("/v1/sellers/nobody/products/top?to=2018-03-01", 404, "GET /v1/sellers?q="),
        ("/v1/sellers/nobody/sales?from=2018-02-01&to=2018-01-01", 422, "must be before"),
        ("/v1/sellers/nobody/orders?cursor=mine", 422, "next_cursor"),
        ("/v1/sellers/ana/sales?from=2018-02-01&to=2018-01-01", 422, "must be before"),
        ("/v1/sellers/ana/sales?from=2010-01-01&grain=hour", 422, "grain=week"),
        ("/v1/sellers/ana/sales?grain=year", 422, "'hour', 'day', 'week' or 'month'"),
        ("/v1/sellers/ana/sales?from=soon", 422, "ISO date"),
        ("/v1/sellers/ana/orders?cursor=mine", 422, "next_cursor"),
        ("/v1/sellers/ana/sales?from=2018-01-01&from=2018-02-01", 422, "Give it once"),
        ("/v1/nothing", 404, "/docs"),
    ],
)
def test_a_mistake_is_a_problem_that_says_what_to_do(
    api: httpx.Client, path: str, status: int, said: str
) -> None:
    response = api.get(path)
    assert response.headers["content-type"] == "application/problem+json"
    problem = response.json()
    assert (response.status_code, problem["status"]) == (status, status)
    assert said in problem["detail"]


def test_a_foreign_host_is_refused_as_every_mistake_is(api: httpx.Client) -> None:
    refused = api.get("/health", headers={"Host": "elsewhere.example"})
    assert (refused.status_code, refused.headers["content-type"]) == (400, "application/problem+json")
    assert refused.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("path", ["/", "/health", "/v1/sellers/ana/sales", "/v1/live", "/openapi.json"])
def test_head_answers_as_get_does_without_the_body(api: httpx.Client, path: str) -> None:
    response = api.head(path)
    assert (response.status_code, response.content) == (200, b"")
    assert "cache-control" in response.headers


def test_an_answer_that_did_not_change_is_not_sent_again(api: httpx.Client) -> None:
    first = api.get("/v1/sellers/ana/sales")
    again = api.get("/v1/sellers/ana/sales", headers={"If-None-Match": first.headers["etag"]})
    other = api.get("/v1/sellers/new/sales", headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert other.status_code == 200


@pytest.mark.parametrize("path", [f"/sell/{'x' * 129}", "/sell/%01", "/?q=%00", "/sell/ana?from=a%00"])
def test_a_page_takes_only_what_the_api_takes(api: httpx.Client, path: str) -> None:
    assert api.get(path).status_code == 422


@pytest.mark.parametrize("asked", ["", "?period=90d", "?from=2018-02-01&until=2018-02-20"])
def test_a_page_says_of_whom_it_is_and_when_there_is_nothing_to_see(
    api: httpx.Client, add: Add, asked: str
) -> None:
    add("seller_sales_minute", ["euro", "2018-02-15 12:00:00", "EUR", *[1] * 10])
    ana, new, euro = (api.get(f"/sell/{seller}{asked}") for seller in ("ana", "new", "euro"))

    assert [answer.status_code for answer in (ana, new, euro)] == [200] * 3
    assert "on Souk since Dec 31, 2016" in ana.text
    assert "on Souk since" not in euro.text
    assert "Nothing sold yet" in new.text
    assert "No sales in this period. The newest sale was on Feb 15, 2018." in euro.text
    assert "Nothing sold yet" not in ana.text + euro.text
    assert api.get(f"/sell/nobody{asked}").status_code == 404


def test_a_page_keeps_the_seller_when_its_period_makes_no_sense(api: httpx.Client) -> None:
    asked = {"from": "2018-08-05", "until": "2018-08-01"}
    page = api.get("/sell/ana", params=asked, headers={"Accept": "text/html"})
    assert page.status_code == 422
    assert "The first day (Aug 5, 2018) is after the last (Aug 1, 2018)" in page.text
    assert 'href="/sell/ana"' in page.text


def test_the_lists_of_a_sellers_page_are_of_the_period_that_they_are_asked_for(api: httpx.Client) -> None:
    months = [{"from": "2018-02-01", "to": "2018-03-01"}, {"from": "2018-03-01", "to": "2018-04-01"}]
    sold, nothing = (
        [api.get(f"/sell/ana/{part}", params=of) for part in ("products", "orders")] for of in months
    )
    assert [answer.status_code for answer in (*sold, *nothing)] == [200] * 4
    assert all("<li>" in answer.text for answer in sold)
    assert "No product sold in this period" in nothing[0].text
    assert "No orders in this period" in nothing[1].text
    assert api.get("/sell/nobody/orders").status_code == 404


def test_no_page_may_run_inline_script(api: httpx.Client) -> None:
    for path in ("/", "/sell/ana", "/docs"):
        response = api.get(path)
        assert response.status_code == 200
        assert "unsafe" not in response.headers["content-security-policy"]
        assert "<script>" not in response.text
        assert " style=" not in response.text


@pytest.mark.parametrize("seller_id", ["a/b", "a%2Fb", "100%", "a?b#c", "..a", "it's", "ü/ñ"])
def test_a_seller_with_any_id_has_pages_and_figures(api: httpx.Client, add: Add, seller_id: str) -> None:
    add("seller_registered", [f"e-{seller_id}", "2018-01-01 00:00:00.000", seller_id, "Odd & co", None, None])
    sales = api.get(f"/v1/sellers/{in_path(seller_id)}/sales")
    page = api.get(f"/sell/{in_path(seller_id)}")

    assert (sales.status_code, page.status_code) == (200, 200)
    assert sales.json()["seller_id"] == seller_id
    links = {unescape(link) for link in re.findall(r'href="(/sell/[^"]+)"', page.text)}
    assert links
    assert all(link.startswith(f"/sell/{in_path(seller_id)}") for link in links)
    for tab in sorted({link.partition("?")[0] for link in links}):
        assert api.get(tab).status_code != 404, tab  # pages of the commerce services are 503 here


def test_what_a_seller_is_called_stays_text(api: httpx.Client, add: Add) -> None:
    add(
        "seller_registered", ["e9", "2018-01-01 00:00:00.000", "<b>", "<script>alert(1)</script>", None, None]
    )
    page = api.get(f"/sell/{quote('<b>', safe='')}").text
    assert "&lt;script&gt;alert(1)" in page
    assert "<script>alert" not in page


def test_ready_names_what_is_missing(api: httpx.Client) -> None:
    response = api.get("/ready")
    assert response.status_code == 503
    parts = {part["part"]: part["ready"] for part in response.json()["parts"]}
    assert parts["clickhouse"]
    assert parts["redis"]
    assert {"kafka", "flink", "registry", "postgres"} <= set(response.json()["missing"])


def test_a_load_balancer_does_not_mind_parts_that_are_away_for_all_processes(api: httpx.Client) -> None:
    response = api.get("/ready", params={"exclude": "parts"})
    assert (response.status_code, response.json()["missing"]) == (200, {})

    response = api.get("/ready", params={"exclude": ["kafka", "flink", "registry"]})
    assert (response.status_code, set(response.json()["missing"])) == (503, {"postgres"})


def test_older_tables_make_a_process_unready_and_newer_ones_are_noted(
    api: httpx.Client, shop: Settings
) -> None:
    newest = max(migration.number for migration in read_migrations(FOLDER))

    def renumber(old: int, new: int) -> None:
        where = f"WHERE number = {old} SETTINGS mutations_sync = 2"
        copied = f"SELECT {new}, name, sha256 FROM schema_migrations FINAL WHERE number = {old}"
        ask(shop, f"INSERT INTO schema_migrations (number, name, sha256) {copied}")
        ask(shop, f"ALTER TABLE schema_migrations DELETE {where}")

    renumber(newest, 9999)
    newer = api.get("/ready", params={"exclude": "parts"})
    renumber(9999, 0)
    older = api.get("/ready", params={"exclude": "parts"})
    renumber(0, newest)

    assert newer.status_code == 200
    assert "newer" in newer.json()["notes"]["migrations"]
    assert (older.status_code, list(older.json()["missing"])) == (503, ["migrations"])
    assert api.get("/ready", params={"exclude": "parts"}).json()["notes"] == {}


def test_ready_says_how_old_the_figures_are_whichever_parts_answer(api: httpx.Client, add: Add) -> None:
    figures = await_true(lambda: api.get("/ready").json()["figures"], "an answer of ClickHouse in time")
    assert figures["as_of"] is None  # no payment was ever counted
    facts = (f"order_{step}" for step in ("placed", "shipped", "delivered"))
    for table in ("payment_captured", *facts):
        add("pipeline_progress", [table, 0, 1, "2018-02-18 08:00:00.000", 1])
    await_true(lambda: (api.get("/ready").json()["figures"] or {}).get("as_of"), "all tables' progress")
    figures = await_true(lambda: api.get("/ready").json()["figures"], "an answer of ClickHouse in time")
    assert figures["as_of"] == "2018-02-18T05:59:00+00:00"
    assert figures["behind_s"] > 86_400
    assert (figures["messages_behind"], figures["catching_up"]) == (None, False)  # Kafka does not answer


def test_ready_says_that_commerce_is_away_and_does_without_it(api: httpx.Client) -> None:
    readiness = api.get("/ready").json()
    (commerce,) = [part for part in readiness["parts"] if part["part"] == "commerce"]
    assert not commerce["ready"]
    assert not commerce["needed"]
    assert "commerce" not in readiness["missing"]


def test_metrics_count_requests_by_route(api: httpx.Client) -> None:
    sales(api)
    assert (
        'souk_http_requests_total{method="GET",route="/v1/sellers/{seller_id}/sales",service=""'
        in api.get("/metrics").text
    )


def test_a_made_up_method_makes_no_series_of_its_own(api: httpx.Client) -> None:
    assert api.request("PROPFIND", "/health").status_code == 405
    metrics = api.get("/metrics").text
    assert 'method="other"' in metrics
    assert "PROPFIND" not in metrics


def test_the_live_stream_says_when_there_is_something_new(api: httpx.Client, add: Add) -> None:
    with api.stream("GET", "/v1/live") as stream:
        lines = (line for line in stream.iter_lines() if line.startswith("data:"))
        assert "as_of" in next(lines)
        add("pipeline_progress", ["order_placed", 0, 1, "2018-02-18 08:00:00.000", 1])
        assert "as_of" in next(lines)


def test_without_clickhouse_and_last_figures_every_figure_is_unavailable_for_now(
    lone_api: LoneApi,
) -> None:
    base = lone_api.settings.serving
    headers = bearer(lone_api.settings)
    answer = httpx.get(f"{base}/v1/sellers/ana/sales", headers=headers, trust_env=False)
    page = httpx.get(f"{base}/", headers=headers | {"Accept": "text/html"}, trust_env=False)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert "./souk up" in answer.json()["detail"]
    assert (page.status_code, page.headers["content-type"]) == (503, "text/html; charset=utf-8")


def test_a_seller_known_by_a_cancellation_alone_is_a_seller(api):
    answer = api.get("/v1/sellers/gone/sales", params={"from": "2018-02-01", "to": "2018-03-01"})
    assert answer.status_code == 200
    assert answer.json()["totals"]["cancelled"]["gross_minor"] == 900


VIEW = {"event": "product_viewed", "session_id": "visit", "product_id": "lamp"}


@pytest.mark.parametrize(
    ("event", "kind", "said"),
    [
        ({"event": "order_placed", "order_id": "o"}, "unknown-event", "'order_placed' is not a"),
        ({"event": "lamp_rubbed"}, "unknown-event", "'lamp_rubbed' is not a browsing event"),
        ({**VIEW, "occurred_at": "2100-01-01T00:00:00Z"}, "bad-event-time", "is in the future"),
        ({**VIEW, "product_id": ""}, "bad-event", "product_id"),
    ],
)
def test_a_batch_of_which_nothing_can_be_taken_is_a_problem_that_says_why(
    api: httpx.Client, event: dict[str, str], kind: str, said: str
) -> None:
    answer = api.post("/v1/events", json={"events": [event, "no event"]})
    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")
    problem = answer.json()
    assert (problem["type"], problem["status"]) == ("urn:souk:problem:no-event-taken", 422)
    assert (problem["instance"], "None of 2 events" in problem["detail"]) == ("/v1/events", True)
    first, second = problem["rejected"]
    assert (first["index"], second["index"]) == (0, 1)
    assert first["problem"]["type"] == f"urn:souk:problem:{kind}"
    assert first["problem"]["status"] == 422
    assert said in first["problem"]["detail"]
    assert said in problem["detail"]
    assert "not an object" in second["problem"]["detail"]


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", None])
def test_events_are_taken_as_json_alone(api: httpx.Client, content_type: str | None) -> None:
    """Browsers send requests of other content types across origins without a CORS preflight."""
    headers = {"Content-Type": content_type} if content_type else {}
    answer = api.post("/v1/events", content=b'{"events": []}', headers=headers)
    assert (answer.status_code, answer.json()["type"]) == (415, "urn:souk:problem:not-json")

    known = {"Content-Type": "application/json; charset=utf-8"}
    assert api.post("/v1/events", content=b'{"events": []}', headers=known).status_code == 422
