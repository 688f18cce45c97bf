"""A small shop in a real ClickHouse server and a real Redis, served by `python -m serving`."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
from playwright.sync_api import Browser, Page, expect
from pydantic import SecretStr
from redis import Redis

from clickhouse.migrate import migrate
from common.configuration.recommendation_rules import EXPOSURE_SHARE
from common.configuration.values import SettingValue
from common.principal import Principal
from common.settings import ROOT, Settings
from local.parts import redis as local_redis
from local.state_directory import base_environment, settings_environment
from schemas.configuration.saved_values import SavedValues
from serving.kit.cache.watcher import ChangeLog
from serving.products.search.index import current_format, make_live, search_folder
from serving.products.search.indexer import Generation
from tests.chromium import opened
from tests.integration.commerce_servers import Shop
from tests.integration.conftest import is_ready
from tests.integration.metric_tables import writable
from tests.integration.servers import (
    TEST_TIMEOUT_S,
    await_true,
    running,
    shed_no_load,
    terminated,
    without_experiments,
)
from tests.integration.serving.commerce_stub import CommerceStub, running_commerce_stub
from tests.integration.serving.visits import approved_seller, staff
from tests.ports import free_offset
from tests.principals import bearer

SOLD = ("orders", "lines", "units", "gross_minor", "discount_minor", "shipping_minor")
CANCELLED = ("cancelled_orders", "cancelled_units", "cancelled_gross_minor", "cancelled_shipping_minor")
SALES_LINE = (
    "seller_id", "minute", "order_id", "kind", "line_number", "product_id", "currency",
    *SOLD, *CANCELLED, "orders_of_product", "cancelled_orders_of_product", "revenue_minor",
)  # fmt: skip
LINE = ("quantity", "unit_price_minor", "gross_minor", "discount_minor", "shipping_minor")
ODD = "o'hara\\"
"""A seller id with characters that break wrongly quoted parameters."""

NOTHING = (0, 0, 0, 0)
SELLER_SALES = [
    # 23:30, which arrived twice, before a midnight that is skipped; then 01:00, the first minute after it.
    ["ana", "2017-10-15 02:30:00", "BRL", 1, 1, 1, 1000, 0, 100, *NOTHING],
    ["ana", "2017-10-15 02:30:00", "BRL", 1, 1, 1, 1000, 0, 100, *NOTHING],
    ["ana", "2017-10-15 03:00:00", "BRL", 1, 2, 3, 2000, 500, 200, *NOTHING],
    # 23:30, the repeated 23:30, and midnight, in two currencies; the sale at midnight was cancelled later.
    ["ana", "2018-02-18 01:30:00", "BRL", 1, 1, 1, 300, 0, 0, *NOTHING],
    ["ana", "2018-02-18 02:30:00", "BRL", 1, 1, 1, 400, 0, 0, *NOTHING, "lamp"],
    ["ana", "2018-02-18 03:00:00", "BRL", 1, 1, 1, 5000, 0, 0, 1, 1, 5000, 0],
    ["ana", "2018-02-18 03:00:00", "EUR", 1, 1, 1, 77, 0, 0, *NOTHING],
    [ODD, "2018-02-18 03:00:00", "BRL", 1, 1, 1, 700, 0, 0, *NOTHING],
    # A sale before the history begins.
    ["gone", "2018-02-18 03:00:00", "BRL", 0, 0, 0, 0, 0, 0, 1, 1, 900, 0],
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
    "seller_sales_minute": (SALES_LINE, SELLER_SALES),
    "marketplace_sales_minute": (
        ("minute", "currency", *SOLD, *CANCELLED, "revenue_minor"),
        [["2018-02-18 03:00:00", "BRL", 2, 2, 2, 5700, 0, 0, 2, 2, 5900, 0, -200]],  # one order has no lines
    ),
    "payments_minute": (
        ("minute", "method", "currency", "payments", "amount_minor"),
        [["2018-02-18 04:00:00", "credit_card", "BRL", 2, 5800]],
    ),
    "order_lines": (("seller_id", "placed_at", "order_id", "line_number", "product_id", *LINE), ORDERS),
    "order_state": (
        ("order_id", "status", "cancelled_at", "shipped_by", "delivered_by"),
        [
            ["order-3", "placed", None, {}, {}],
            ["order-3", "cancelled", "2018-02-18 05:00:00.000", {}, {}],
        ],
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
            ["order_confirmed", 0, 2, "2018-02-18 06:00:00.000", 3],
            ["order_confirmed", 1, 2, "2018-02-18 05:59:00.000", 3],
            ["order_confirmed", 2, 3, "2018-01-01 00:00:00.000", 1],  # of an earlier, wider run
            ["order_cancelled", 0, 1, "2018-02-18 12:00:00.000", 1],
            ["payment_refunded", 0, 1, "2018-02-18 12:00:00.000", 1],
        ],
    ),
}

QUARTER_HOURS = {
    "marketplace_sales_minute": "marketplace_sales_quarter_hour",
    "payments_minute": "payments_quarter_hour",
}
"""The roll-ups over tables of `TABLES`. Each of the minutes begins a quarter of an hour, alone in it."""


def ask(settings: Settings, query: str, content: bytes = b"") -> None:
    response = httpx.post(
        settings.clickhouse,
        params={"database": settings.clickhouse_database, "query": query},
        headers={
            "X-ClickHouse-User": settings.clickhouse_admin_user,
            "X-ClickHouse-Key": settings.clickhouse_admin_password.get_secret_value().encode(),
        },
        content=content,
        trust_env=False,
    )
    assert response.is_success, response.text
    if settings.redis_url:
        drop_cached(settings)


def drop_cached(settings: Settings) -> None:
    """Drop cached responses. Tests write into the stores directly, without the events that would do it."""
    with Redis.from_url(settings.redis_url) as redis:
        ChangeLog(redis).drop_everything()


@contextmanager
def live_index(shop: Settings, name: str, events: Sequence[tuple[str, Any]]) -> Iterator[Generation]:
    """Make an index of these events the live one in the home of the API, for a `with` block."""
    folder = search_folder(shop)
    generation = Generation(folder / f"{current_format()}-{name}", "BRL")
    generation.rows.apply(events, {})
    generation.write_pending(100)
    make_live(folder, generation.folder.name)
    drop_cached(shop)
    yield generation
    generation.close()
    shutil.rmtree(folder)
    drop_cached(shop)


def put(settings: Settings, table: str, columns: tuple[str, ...], rows: list[list[Any]]) -> None:
    query = f"INSERT INTO {writable(settings, table)} ({', '.join(columns)}) FORMAT JSONCompactEachRow"
    ask(settings, query, b"\n".join(orjson.dumps(row) for row in rows))


def insert(settings: Settings, table: str, rows: list[list[Any]]) -> None:
    """Insert rows in the form of `TABLES`. A row of `seller_sales_minute` becomes lines of one order."""
    if table == "seller_sales_minute":
        put(settings, "sales_lines", SALES_LINE, [line for row in rows for line in sales_lines(*row)])
    else:
        columns = TABLES[table][0]
        put(settings, table, columns, rows)
        if table in QUARTER_HOURS:
            put(settings, QUARTER_HOURS[table], ("quarter_hour", *columns[1:]), rows)


def clear(settings: Settings, table: str) -> None:
    """Empty a table of `TABLES`."""
    name = "sales_lines" if table == "seller_sales_minute" else table
    for each in (name, QUARTER_HOURS.get(name)):
        if each:
            ask(settings, f"TRUNCATE TABLE {writable(settings, each)}")


def sales_lines(
    seller: str,
    minute: str,
    currency: str,
    orders: int,
    lines: int,
    units: int,
    gross: int,
    discount: int,
    shipping: int,
    gone: int,
    gone_units: int,
    gone_gross: int,
    gone_shipping: int,
    product: str = "chair",
) -> Iterator[list[Any]]:
    """Yield the lines of an order with these figures, in the order of `SOLD` and `CANCELLED`."""
    where = [seller, minute, f"{seller} {minute} {currency}"]
    item = [product, currency]
    for number in range(lines):
        sold = [orders, 1, units, gross, discount, shipping] if number == 0 else [0, 1, 0, 0, 0, 0]
        first = sold[0]
        yield [*where, "sold", number, *item, *sold, *NOTHING, first, 0, gross - discount if first else 0]
    if gone_units:
        cancelled = [gone, gone_units, gone_gross, gone_shipping]
        yield [*where, "cancelled", 0, *item, *[0] * len(SOLD), *cancelled, 0, gone, -gone_gross]


def put_offers(
    redis: "Redis[Any]",
    product_id: str,
    *offers: dict[str, Any],
    stock: dict[str, int] | None = None,
    interest: float | None = None,
) -> None:
    """Write the sellers' listings and stock of a product as job `recommendations` does."""
    defaults = {"name": None, "category": None, "currency": "BRL", "listed": 1}
    fields: dict[str, Any] = {}
    if offers:
        fields["offers"] = orjson.dumps([defaults | offer for offer in offers])
    if stock is not None:
        fields["stock"] = orjson.dumps(stock)
    if interest is not None:
        fields["interest"] = interest
    redis.hset(f"product:{product_id}", mapping=fields)
    ChangeLog(redis).drop_everything()


@contextmanager
def running_serving(settings: Settings) -> Iterator[Settings]:
    """Run `python -m serving` with these settings, on its own port."""
    settings = settings.model_copy(update={"port_offset": free_offset()})
    environment = os.environ | {
        "SOUK_HOME": str(settings.home),
        "SOUK_PORT_OFFSET": str(settings.port_offset),
        "SOUK_CLICKHOUSE_URL": settings.clickhouse_url,
        "SOUK_CLICKHOUSE_DATABASE": settings.clickhouse_database,
        "SOUK_REDIS_URL": settings.redis_url,
    }
    shed_no_load(settings)
    command = [sys.executable, "-m", "serving"]
    with terminated(subprocess.Popen(command, cwd=ROOT, env=environment)) as process:
        await_true(lambda: is_ready(process, f"{settings.serving}/health"), "serving's start")
        yield settings


@pytest.fixture(scope="session")
def shop(clickhouse_server: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """A running API with its own stores, which contain a small shop."""
    own = Settings(
        home=tmp_path_factory.mktemp("serving"),
        port_offset=free_offset(),
        redis_password=SecretStr("Redis' p@ss/word"),
    )
    settings = Settings(
        home=own.home,
        clickhouse_url=clickhouse_server.clickhouse,
        clickhouse_admin_password=clickhouse_server.clickhouse_admin_password,
        clickhouse_analyst_password=clickhouse_server.clickhouse_analyst_password,
        clickhouse_database="serving_tests",
        redis_url=own.redis,
    )
    migrate(settings)
    without_experiments(settings)
    with running(local_redis.part(own), own), Redis.from_url(settings.redis_url) as redis:
        for table, (_, rows) in TABLES.items():
            insert(settings, table, rows)
        redis.zadd("popular_products", {"lamp": 60 * 86_400.0, "chair": 0.0})  # two half-lives apart
        SavedValues(settings).save({EXPOSURE_SHARE.name: SettingValue(1, 0.0)})  # nothing is drawn into lists
        with running_serving(settings) as served:
            yield served


@pytest.fixture(scope="session")
def seller_sql(shop: Settings) -> Iterator[Settings]:
    """The service that runs the queries of sellers of the shop."""
    environment = os.environ | settings_environment(shop)
    command = [sys.executable, "-m", "clickhouse.seller_sql"]
    with terminated(subprocess.Popen(command, cwd=ROOT, env=environment)) as process:
        await_true(lambda: is_ready(process, f"{shop.seller_sql}/ready"), "the start of the service")
        yield shop


@dataclass(frozen=True)
class LoneApi:
    """`python -m serving` in one process, without stores and without services, and the file of its log."""

    settings: Settings
    log: Path


@pytest.fixture(scope="session")
def lone_api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LoneApi]:
    settings = Settings(home=tmp_path_factory.mktemp("lone"), port_offset=free_offset())
    environment = os.environ | {
        "SOUK_HOME": str(settings.home),
        "SOUK_PORT_OFFSET": str(settings.port_offset),
        "SOUK_SERVING_PROCESSES": "1",
    }
    log = settings.home / "log"
    command = [sys.executable, "-X", "dev", "-m", "serving"]
    with log.open("w") as output:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=output, stderr=output)
        with terminated(process):
            await_true(lambda: is_ready(process, f"{settings.serving}/health"), "serving's start")
            yield LoneApi(settings, log)


class Office:
    """The API and the pages before real commerce services, without ClickHouse and Redis."""

    def __init__(self, shop: Shop) -> None:
        self.shop = shop
        self.settings = shop.settings

    def http(self, principal: Principal) -> httpx.Client:
        """Return a client of the API for a principal."""
        headers = bearer(self.settings, principal)
        return httpx.Client(base_url=self.settings.serving, trust_env=False, timeout=60, headers=headers)

    def register(self, email: str, role: str = "shopper") -> str:
        """Register a person without a password, and return their id."""
        body = {"email": email, "role": role}
        user_id: str = self.shop.http.post("/v1/people", json=body).raise_for_status().json()["user_id"]
        return user_id

    def mailed_token(self, email: str, page: str) -> str:
        """Return the token in the newest link to a page that was sent to an address."""
        mails = self.shop.http.get("/v1/mails", params={"to": email}).raise_for_status().json()
        links = (re.search(rf"/{page}\?token=([\w-]+)", mail["text"]) for mail in mails)
        return next(found[1] for found in links if found)


@pytest.fixture(scope="session")
def office(running_shop: Shop) -> Iterator[Office]:
    shed_no_load(running_shop.settings)
    without_experiments(running_shop.settings)
    environment = base_environment() | settings_environment(running_shop.settings)
    environment["SOUK_SERVING_PROCESSES"] = "1"  # of the API of `shop` there are several
    command = [sys.executable, "-m", "serving"]
    with terminated(subprocess.Popen(command, cwd=ROOT, env=environment)) as process:
        address = f"{running_shop.settings.serving}/health"
        await_true(lambda: is_ready(process, address), "serving's start")
        yield Office(running_shop)


@pytest.fixture
def add(shop: Settings) -> Iterator[Callable[[str, list[Any]], None]]:
    """Adds a row to a table of the shop, in the order of the columns of `TABLES`, until the test's end."""
    changed = set()

    def add_row(table: str, row: list[Any]) -> None:
        changed.add(table)
        insert(shop, table, [row])

    yield add_row
    for table in changed:
        clear(shop, table)
        insert(shop, table, TABLES[table][1])


@pytest.fixture
def api(shop: Settings) -> Iterator[httpx.Client]:
    """A client. Each of its requests drops cached responses first: see `drop_cached`."""
    hooks: Any = {"request": [lambda _request: drop_cached(shop)]}
    with httpx.Client(
        base_url=shop.serving, trust_env=False, timeout=30, headers=bearer(shop), event_hooks=hooks
    ) as client:
        yield client


@pytest.fixture
def commerce(shop: Settings) -> Iterator[CommerceStub]:
    """The stand-in for the commerce services; without it they do not answer."""
    with running_commerce_stub(shop) as commerce:
        yield commerce


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Move the modules of this folder that need Chromium behind the others: see `browser`.

    All their tests get its marker: in two lanes, what a module loads and starts would be there twice.
    """
    folder = Path(__file__).parent
    places = [place for place, item in enumerate(items) if item.path.parent == folder]
    ours = [items[place] for place in places]
    late = {item.path for item in ours if "browser" in getattr(item, "fixturenames", ())}
    for place, item in zip(places, sorted(ours, key=lambda item: item.path in late), strict=True):
        items[place] = item
        if item.path in late:
            item.add_marker(pytest.mark.browser)


BROWSER = pytest.StashKey[Browser]()


@pytest.fixture
def browser(request: pytest.FixtureRequest) -> Iterator[Browser]:
    """Chromium, which starts once for all tests of this folder, because a start takes 5 s of CPU.

    Pages that a test has left open are closed.

    Playwright runs an event loop in this thread until the folder's last test. Until then, tests can't call
    `asyncio.run`, so those that do so come first.
    """
    folder = request.node.getparent(pytest.Dir)
    assert folder
    if BROWSER not in folder.stash:
        expect.set_options(timeout=TEST_TIMEOUT_S * 250)  # in ms: a quarter of the timeout
        stack = ExitStack()
        folder.stash[BROWSER] = stack.enter_context(opened())
        folder.addfinalizer(stack.close)
    browser = folder.stash[BROWSER]
    yield browser
    for context in browser.contexts:
        context.close()


@pytest.fixture
def complaints() -> list[str]:
    """Errors in a page's console. A test removes those that it expects."""
    return []


@pytest.fixture
def page(browser: Browser, shop: Settings, complaints: list[str]) -> Iterator[Page]:
    """A page that may see everything, and whose console must stay free of errors."""
    context = browser.new_context(
        base_url=shop.serving, viewport={"width": 1280, "height": 900}, extra_http_headers=bearer(shop)
    )
    page = context.new_page()
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    yield page
    context.close()
    assert complaints == []


@pytest.fixture
def seller(office: Office) -> tuple[str, str]:
    """A new seller, and its owner."""
    return approved_seller(office)


@pytest.fixture
def http(office: Office, seller: tuple[str, str]) -> httpx.Client:
    """A browser of the owner that sends forms."""
    return office.http(staff(seller[0], "owner", seller[1]))
