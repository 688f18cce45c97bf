"""Sellers' own SQL: the route, and the page that works without a script."""

import csv
from io import BytesIO, StringIO
from typing import Any

import httpx
import pyarrow.parquet as pq
import pytest
from playwright.sync_api import Page, expect

from clickhouse.seller_sql.limits import AUDIENCE, PATH
from common.principal_token import GATEWAY, PrincipalTokens
from common.settings import Settings
from serving.web.seller.sql import example_of, views_of_sellers
from tests.integration.serving.conftest import ODD
from tests.integration.serving.layouts import layouts, scroll_width
from tests.principals import bearer

UNITS = "-- Units by product\nSELECT product_id, sum(quantity) AS units FROM order_lines GROUP BY 1"
SALES = "SELECT currency, sum(revenue) AS net_sales, count() AS lines FROM sales GROUP BY currency ORDER BY 1"


pytestmark = pytest.mark.usefixtures("seller_sql")


@pytest.fixture
def api(shop: Settings) -> httpx.Client:
    return httpx.Client(base_url=shop.serving, headers=bearer(shop), trust_env=False, timeout=60)


def ask(api: httpx.Client, query: str, seller: str = "ana", **parameters: Any) -> httpx.Response:
    path = f"/v1/sellers/{seller}/sql"
    return api.post(path, json={"query": query, "parameters": parameters})


def test_a_query_sees_the_rows_of_its_seller_with_exact_amounts(api: httpx.Client) -> None:
    answer = ask(api, SALES).raise_for_status().json()

    assert answer["columns"] == [
        {"name": "currency", "type": "LowCardinality(String)"},
        {"name": "net_sales", "type": "Decimal(38, 4)"},
        {"name": "lines", "type": "UInt64"},
    ]
    # 10 + 15 + 3 + 4 of sales; the one at midnight was cancelled.
    assert answer["rows"] == [["BRL", "32", 7], ["EUR", "0.77", 1]]
    assert answer["truncated"] is False
    assert answer["as_of"] == "2018-02-18T05:59:00+00:00"
    others = ask(api, "SELECT DISTINCT seller_id FROM sales").raise_for_status().json()
    assert others["rows"] == [["ana"]]


def test_the_seller_of_the_path_counts_whatever_its_id(api: httpx.Client) -> None:
    answer = ask(api, "SELECT DISTINCT seller_id FROM order_lines", "o'hara%5C").raise_for_status().json()

    assert answer["rows"] == [[ODD]]


def test_what_visitors_typed_is_in_no_view_of_sellers(api: httpx.Client) -> None:
    for view in ("searches", "souk.search_performed", "souk.search_pages", "souk.search_visitors"):
        assert ask(api, f"SELECT query FROM {view}").status_code in (400, 403, 422)
    for view in views_of_sellers():
        columns = ask(api, f"SELECT * FROM {view} LIMIT 0").raise_for_status().json()["columns"]
        assert columns
        assert not {"query", "text", "search_text"} & {column["name"] for column in columns}


def test_parameters_are_values(api: httpx.Client) -> None:
    query = "SELECT count() FROM order_lines WHERE product_id = {p:String} AND quantity >= {q:Int32}"

    assert ask(api, query, p="lamp", q=1).json()["rows"] == [[3]]
    assert ask(api, query, p="' OR 1 = 1 --", q=1).json()["rows"] == [[0]]
    assert ask(api, "SELECT {a:String}", a="tab\tand \\ 'quote'").json()["rows"] == [["tab\tand \\ 'quote'"]]


def test_a_result_is_csv_for_those_who_ask(api: httpx.Client) -> None:
    path = "/v1/sellers/ana/sql"
    query = (
        "SELECT currency, sum(revenue), NULL AS nothing, [1, 2] AS list, true AS yes FROM sales GROUP BY 1"
    )
    answer = api.post(
        path, json={"query": f"{query} ORDER BY 1"}, headers={"Accept": "text/csv"}
    ).raise_for_status()

    assert answer.headers["Content-Type"].startswith("text/csv")
    assert answer.headers["Souk-As-Of"] == "2018-02-18T05:59:00+00:00"
    assert list(csv.reader(StringIO(answer.text)))[1:] == [
        ["BRL", "32", "", "[1, 2]", "true"],
        ["EUR", "0.77", "", "[1, 2]", "true"],
    ]


def test_a_text_in_csv_is_no_formula(api: httpx.Client) -> None:
    texts = ["=1+1", "+1", "-1", "@SUM(1)", "\t=1", "\r=1", "a=1", ""]
    query = f"SELECT arrayJoin({texts!r}) AS `=2`, -1, toDecimal64(-1.5, 1), ['=1']"
    answer = api.post("/v1/sellers/ana/sql", json={"query": query}, headers={"Accept": "text/csv"})

    header, *rows = csv.reader(StringIO(answer.raise_for_status().text, newline=""))
    assert header[0] == "'=2"
    assert [row[0] for row in rows] == [*(f"'{text}" for text in texts[:6]), *texts[6:]]
    assert {tuple(row[1:]) for row in rows} == {("-1", "-1.5", '["=1"]')}


def test_a_long_result_ends_after_ten_thousand_rows(api: httpx.Client) -> None:
    answer = ask(api, "SELECT number FROM numbers(10001)").raise_for_status().json()

    assert len(answer["rows"]) == 10_000
    assert answer["truncated"] is True
    assert ask(api, "SELECT number FROM numbers(10000)").json()["truncated"] is False


def test_large_integers_stay_exact(api: httpx.Client) -> None:
    query = "SELECT toUInt64(18446744073709551615), toInt256('-99999999999999999999'), 1e300, nan"

    assert ask(api, query).json()["rows"] == [["18446744073709551615", "-99999999999999999999", 1e300, None]]


@pytest.mark.parametrize("name", views_of_sellers())
def test_the_example_of_each_view_runs_for_a_seller(api: httpx.Client, name: str) -> None:
    ask(api, example_of(views_of_sellers()[name])).raise_for_status()


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("SELECT * FROM payments", "The view payments has rows of the whole marketplace"),
        ("SELECT * FROM souk.order_placed", "There is no view souk.order_placed: select from"),
        ("DROP TABLE sales", "Readers may"),
        ("SELECT 1; SELECT 2", "Multi-statements"),
        ("SELECT * FROM sales SETTINGS readonly = 0", "Remove readonly"),
        ("SELECT * FROM sales FORMAT CSV", "Remove FORMAT"),
        ("SELEC 1", "Syntax error"),
        ("SELECT nothing FROM sales", "nothing"),
        ("SELECT hostName()", "hostName is not available to sellers"),
        ("SELECT count() FROM numbers(600000000)", "reads too many rows"),
        ("SELECT groupArray(repeat('x', 1000000)) FROM numbers(1000)", "too much memory"),
        ("SELECT repeat('x', 10000) FROM numbers(5000)", "The result is too large"),
    ],
)
def test_a_refusal_says_what_to_do(api: httpx.Client, query: str, says: str) -> None:
    answer = ask(api, query)

    assert answer.status_code == 422, answer.text
    assert says.lower() in answer.json()["detail"].lower()
    assert "DB::Exception" not in answer.text


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 422),
        ({"query": ""}, 422),
        ({"query": "x" * 20_001}, 422),
        ({"query": "SELECT 1", "settings": {"readonly": 0}}, 422),
        ({"query": "SELECT 1", "parameters": {"a b": 1}}, 422),
        ({"query": "SELECT 1", "parameters": {f"p{number}": 1 for number in range(21)}}, 422),
        (["SELECT 1"], 422),
        ({"query": "SELECT '" + "x" * 200_000 + "'"}, 413),
    ],
)
def test_a_body_that_can_t_be_used_is_refused(api: httpx.Client, body: object, status: int) -> None:
    assert api.post("/v1/sellers/ana/sql", json=body).status_code == status


def test_another_kind_of_body_and_an_unknown_seller_are_refused(api: httpx.Client) -> None:
    text = api.post("/v1/sellers/ana/sql", content="SELECT 1", headers={"Content-Type": "text/plain"})

    assert text.status_code == 415
    assert ask(api, "SELECT 1", "nobody-at-all").status_code == 404


def test_the_page_needs_no_script(api: httpx.Client) -> None:
    form = {"query": "SELECT product_id, sum(quantity) AS units FROM order_lines GROUP BY 1 ORDER BY 2 DESC"}
    page = api.post("/sell/ana/sql", data=form).raise_for_status().text
    file = api.post("/sell/ana/sql", data={**form, "format": "csv"}).raise_for_status()
    columns = api.post("/sell/ana/sql", data={**form, "format": "parquet"}).raise_for_status()
    refused = api.post("/sell/ana/sql", data={"query": "SELECT * FROM orders"})

    assert "<progress" in page
    assert 'class="figure">3</td>' in page
    assert sorted(file.text.splitlines()) == ["chair,3", "lamp,3", "product_id,units"]
    assert pq.read_table(BytesIO(columns.content))["units"].to_pylist() == [3, 3]
    assert refused.status_code == 422
    assert "whole marketplace" in refused.text


def test_nobody_but_the_api_may_ask_the_service(seller_sql: Settings) -> None:
    body = {"seller_id": "ana", "database": "x", "text": "SELECT 1", "params": {}, "format": "Parquet"}
    tokens = PrincipalTokens(seller_sql)
    url = f"{seller_sql.seller_sql}{PATH}"
    for token in ("x", tokens.make(None, GATEWAY)):
        refused = httpx.post(url, json=body, headers={"Authorization": f"Bearer {token}"}, trust_env=False)
        assert refused.status_code == 403
    assert httpx.post(url, json=body, trust_env=False).status_code == 403
    api = {"Authorization": f"Bearer {tokens.make(None, AUDIENCE)}"}
    assert httpx.post(url, json={}, headers=api, trust_env=False).status_code == 400
    site = api | {"Host": "evil.example"}
    assert httpx.post(url, json=body, headers=site, trust_env=False).status_code == 403


@pytest.mark.browser
def test_a_person_runs_keeps_and_downloads_a_query(page: Page) -> None:
    page.goto("/sell/ana/sql")
    expect(page.get_by_role("textbox", name="Query")).to_have_value(
        example_of(views_of_sellers()["sales"]).strip()
    )
    page.get_by_role("textbox", name="Query").fill(UNITS)
    page.get_by_role("button", name="Save").click()
    page.get_by_role("textbox", name="Query").press("Control+Enter")
    expect(page.get_by_role("cell", name="lamp")).to_be_visible()
    expect(page.locator(".bars li")).to_have_count(2)
    with page.expect_download() as download:
        page.get_by_role("button", name="CSV").click()
    assert "lamp,3" in download.value.path().read_text()

    page.goto("/sell/ana/sql?view=products")
    page.get_by_role("button", name="Units by product", exact=True).click()
    expect(page.get_by_role("textbox", name="Query")).to_have_value(UNITS)
    page.get_by_role("button", name="Remove").click()
    expect(page.get_by_text("Saved in this browser")).to_be_hidden()
    page.get_by_role("textbox", name="Query").fill("")
    page.locator("summary", has_text="returns").click()
    page.get_by_role("button", name="refunded_at").click()
    expect(page.get_by_role("textbox", name="Query")).to_have_value("refunded_at")


@pytest.mark.nightly
@pytest.mark.browser
def test_the_page_fits_every_width(page: Page) -> None:
    page.goto("/sell/ana/sql")
    page.get_by_role("textbox", name="Query").fill("SELECT *, * FROM order_lines")
    page.get_by_role("button", name="Run").click()
    expect(page.get_by_role("heading", name="Result")).to_be_visible()
    for theme, width in layouts(page):
        assert scroll_width(page) <= width, theme
