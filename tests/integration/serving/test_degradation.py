"""What people see while parts of the platform are away: killed and started again, or suspended (Kafka).

The tests are the rows of the table in docs/decisions/degradation.md. The cart without PostgreSQL is in
`test_storefront.py`, the limits of a process without Redis in `test_rate_limits.py`.
"""

import re
import signal
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from html import unescape

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect
from pydantic import SecretStr
from redis import Redis

from clickhouse.migrate import migrate
from common.ids import new_id
from common.settings import Settings
from local.parts import clickhouse as local_clickhouse
from local.parts import redis as local_redis
from local.parts.processes import PROCESSES
from tests.integration.commerce_servers import Postgres, Shop
from tests.integration.conftest import ANALYST_PASSWORD, CLICKHOUSE_PASSWORD, Kafka, is_ready
from tests.integration.servers import Server, await_true, running, shed_no_load
from tests.integration.serving.conftest import TABLES, insert, put, put_offers
from tests.integration.serving.layouts import layouts, scroll_width
from tests.integration.serving.visits import ADMIN, staff
from tests.ports import free_offset
from tests.principals import TESTS, bearer

HTML = {"Accept": "text/html"}
PASSWORD = "seven lamps and a vase"
NOTICE = "Figures as of <time[^>]*>Feb 18, 2018, 2:59\\sAM</time>; newer ones follow"
NO_TIME = "Figures as of an earlier time; newer ones follow"
"""No job looks for signals here, so that they are not complete up to any time."""

LISTING = (
    "event_id",
    "occurred_at",
    "product_id",
    "seller_id",
    "name",
    "category",
    "currency",
    "price_minor",
)
CATEGORY, NAME, PRICE_MINOR = "Lamps", "Slim Desk Lamp, Teal", 1_000


class Serving(Server):
    """`python -m serving`, ready once it serves: its parts may be away."""

    def is_ready(self) -> bool:
        return is_ready(self.process, f"{self.settings.serving}/health")


@dataclass
class Platform:
    """The API and the pages with all stores and services behind them, in processes of their own."""

    settings: Settings
    shop: Shop
    parts: dict[str, Server]
    product_id: str

    @contextmanager
    def without(self, part: str) -> Iterator[None]:
        """Kill a part while the block runs, and start it again.

        Kafka, whose start is slow, is suspended instead. `test_crashes.py` of the services kills it.
        """
        server = self.parts[part]
        if isinstance(server, Kafka):
            server.process.send_signal(signal.SIGSTOP)
            try:
                yield
            finally:
                server.process.send_signal(signal.SIGCONT)
            return
        server.stop() if isinstance(server, Postgres) else server.kill()
        try:
            yield
        finally:
            server.start()

    def client(self, headers: dict[str, str]) -> httpx.Client:
        return httpx.Client(base_url=self.settings.serving, headers=headers, trust_env=False, timeout=120)

    @property
    def as_owner(self) -> dict[str, str]:
        """The header of an owner of the seller ana."""
        return bearer(self.settings, staff("ana", "owner"))

    @property
    def owner(self) -> httpx.Client:
        return self.client(self.as_owner)

    @property
    def other_owner(self) -> httpx.Client:
        return self.client(bearer(self.settings, staff("new", "owner")))

    @contextmanager
    def guest(self) -> Iterator[httpx.Client]:
        """A browser with the session of a guest."""
        with self.client({"Origin": self.settings.serving} | HTML) as browser:
            assert browser.get("/shop/visitor").is_success
            yield browser

    def checkout(self, browser: httpx.Client, key: str) -> httpx.Response:
        """Place an order for the product of the cart."""
        lines = [{"product_id": self.product_id, "quantity": 1, "unit_price_minor": PRICE_MINOR}]
        payment = {"method": "credit_card", "token": "tok_visa"}
        body = {"currency": "BRL", "payment": payment, "lines": lines}
        return browser.post("/v1/orders", json=body, headers={"Idempotency-Key": key})

    def fill_cart(self, browser: httpx.Client) -> None:
        """Put two units of the product into the cart."""
        self.shop.await_row("SELECT FROM carts.offers WHERE product_id = $1", self.product_id)
        added = browser.post("/shop/cart/lines", data={"product_id": self.product_id, "quantity": 2})
        assert added.status_code == 303, added.text

    def cart(self, browser: httpx.Client) -> httpx.Response:
        """Return the page of the cart."""
        return browser.get("/shop/cart")

    def breaker(self, name: str) -> str:
        """Return the state of a circuit breaker, as the metrics tell it."""
        metrics = self.client({}).get("/metrics").raise_for_status().text
        (value,) = re.findall(rf'^souk_circuit_breaker_state{{breaker="{name}"}} ([\d.]+)$', metrics, re.M)
        return {0.0: "closed", 1.0: "half-open", 2.0: "open"}[float(value)]


def retry_after_s(response: httpx.Response) -> int:
    """Return when to try again; fail the test if the response does not say so."""
    assert response.status_code == 503, response.text
    seconds = int(response.headers["Retry-After"])
    assert 1 <= seconds <= 60
    return seconds


@pytest.fixture(scope="module")
def souk(
    settings: Settings,
    running_shop: Shop,
    kafka: Kafka,
    postgres: Postgres,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Platform]:
    if running_shop.process.poll() is not None:
        running_shop.start()  # the previous test stopped it
    shared = {
        "kafka_bootstrap": settings.kafka,
        "registry_url": settings.registry,
        "postgres_url": settings.postgres,
    }
    with ExitStack() as stack:
        apart = Settings(home=tmp_path_factory.mktemp("users"), port_offset=free_offset(), **shared)
        users = PROCESSES["commerce"].part(apart)
        assert users.launch
        launch = replace(users.launch, argv=[*users.launch.argv, "users"])
        stores = Settings(
            home=tmp_path_factory.mktemp("degradation"),
            port_offset=free_offset(),
            clickhouse_admin_password=SecretStr(CLICKHOUSE_PASSWORD),
            clickhouse_analyst_password=SecretStr(ANALYST_PASSWORD),
            clickhouse_serving_password=SecretStr("the API's secret"),
            commerce_url=settings.commerce,
            service_urls={"users": apart.commerce},
            serving_processes=1,  # the states of breakers and the limits are those of one process
            **shared,
        )
        parts = {
            "postgres": postgres,
            "kafka": kafka,
            "clickhouse": stack.enter_context(running(local_clickhouse.part(stores), stores)),
            "redis": stack.enter_context(running(local_redis.part(stores), stores)),
            "users": stack.enter_context(running(replace(users, launch=launch), apart)),
        }
        migrate(stores)
        for table, (_, rows) in TABLES.items():
            insert(stores, table, rows)
        facts = ("payment_captured", "order_placed", "order_shipped", "order_delivered")
        insert(stores, "pipeline_progress", [[fact, 0, 1, "2018-02-18 08:00:00.000", 1] for fact in facts])
        product_id = running_shop.product(stock=1_000, price_minor=PRICE_MINOR, seller_id="ana")
        listed = ["d1", "2018-01-01 00:00:00.000", product_id, "ana", NAME, CATEGORY, "BRL", PRICE_MINOR]
        put(stores, "product_listed", LISTING, [listed])
        with Redis.from_url(stores.redis) as redis:
            offer = {"seller_id": "ana", "name": NAME, "category": CATEGORY, "price_minor": PRICE_MINOR}
            put_offers(redis, product_id, offer, stock={"ana": 1_000}, interest=1.0)
            redis.zadd("popular_products", {product_id: 60 * 86_400.0})
            redis.zadd(f"popular:{CATEGORY}", {product_id: 1.0})
        shed_no_load(stores)
        server = Serving(PROCESSES["serving"].part(stores), stores)
        stack.callback(server.kill)
        yield Platform(stores, running_shop, parts, product_id)


def is_fresh(souk: Platform) -> bool:
    """Return whether figures are the current ones. A process of the platform asks: it has no limit."""
    with souk.client(bearer(souk.settings)) as dashboard:
        response = dashboard.get("/v1/sellers/ana/sales")
    return response.is_success and not response.json()["stale"]


@contextmanager
def opened_page(browser: Browser, souk: Platform, path: str) -> Iterator[Page]:
    """Open a page as an owner of the seller ana."""
    context = browser.new_context(base_url=souk.settings.serving, extra_http_headers=souk.as_owner)
    page = context.new_page()
    page.goto(path)
    yield page
    context.close()


def get_once_known(client: httpx.Client, path: str) -> httpx.Response:
    """Send a request until it is answered: the last answer is stored within a second of the first one.

    A new ClickHouse on a busy machine may need longer for its first query than the API waits.
    """
    texts: list[str] = []

    def answer() -> httpx.Response | None:
        response = client.get(path)
        texts.append(response.text)
        return response if response.is_success else None

    try:
        return await_true(answer, path)
    except AssertionError as error:
        raise AssertionError(f"{path}: {texts[-1]}") from error


@pytest.mark.browser
def test_without_clickhouse_dashboards_show_the_last_figures_with_their_time(
    souk: Platform, browser: Browser
) -> None:
    api = {
        "sales": "/v1/sellers/ana/sales",
        "top": "/v1/sellers/ana/products/top",
        "orders": "/v1/sellers/ana/orders",
    }
    page, marketplace = "/sell/ana?period=all", "/"
    analyst = souk.client(bearer(souk.settings, ADMIN) | HTML)
    with souk.owner as owner, souk.other_owner as other, ExitStack() as left_open:
        before = {path: get_once_known(owner, path) for path in api.values()}
        html = left_open.enter_context(souk.client(souk.as_owner | HTML))
        lists = re.findall('data-part="([^"]+)"', html.get(page).raise_for_status().text)
        shown = [(html, page), (analyst, marketplace), *((html, unescape(path)) for path in lists)]
        for client, path in shown:
            assert client.get(path).is_success
        with souk.without("clickhouse"):
            for path, current in before.items():
                last = get_once_known(owner, path)
                assert last.json() == {**current.json(), "stale": True}
                assert last.json()["as_of"] == "2018-02-18T02:59:00-03:00"
                assert last.headers["Cache-Control"] == "private, no-store"
                assert "ETag" not in last.headers
            csv = owner.get(api["sales"], headers={"Accept": "text/csv"})
            assert csv.headers["Souk-Stale"] == "true"
            assert csv.headers["Souk-As-Of"] == "2018-02-18T02:59:00-03:00"
            for client, path in shown:
                last = get_once_known(client, path)
                notice = NO_TIME if path.endswith("/signals") else NOTICE
                assert re.search(notice, last.text), last.text
                assert last.headers["Cache-Control"] == "private, no-store"
            retry_after_s(owner.get(api["sales"], params={"from": "2016-01-01"}))  # never asked before
            assert other.get(api["sales"]).status_code == 404
            assert other.get(page).status_code == 404
            tab = left_open.enter_context(opened_page(browser, souk, page))
            expect(tab.locator("#last-figures")).to_contain_text("Figures as of Feb 18, 2018")
            expect(tab.locator("#top .bars")).to_be_visible()
            for theme, width in layouts(tab):
                assert scroll_width(tab) <= width, theme
        expect(tab.locator("#last-figures")).to_be_hidden()  # without a reload
        await_true(lambda: is_fresh(souk), "fresh figures")
        fresh = html.get(page)
        assert not re.search(NOTICE, fresh.text)
        assert fresh.headers["Cache-Control"] == "private, no-cache"


def test_without_clickhouse_the_shop_lives(souk: Platform) -> None:
    with souk.guest() as browser:
        souk.fill_cart(browser)
        assert f">{CATEGORY}<" in browser.get("/shop").raise_for_status().text
        with souk.without("clickhouse"):
            for path in ("/shop", "/shop/products", f"/shop/products?category={CATEGORY}"):
                assert NAME in browser.get(path).raise_for_status().text
            lamp = browser.get(f"/shop/products/{souk.product_id}").raise_for_status().text
            assert "R$10.00" in lamp
            assert "Add to cart" in lamp
            assert browser.get("/").is_success
            search = browser.get("/shop/products", params={"q": "vase"})
            retry_after_s(search)
            assert "browse the categories" in search.text
            assert "R$20.00" in souk.cart(browser).raise_for_status().text
            ordered = souk.checkout(browser, new_id())
            assert ordered.status_code == 202, ordered.text
            assert browser.get(f"/shop/orders/{ordered.json()['order_id']}").is_success
        await_true(lambda: browser.get("/shop/products", params={"q": "lamp"}).is_success, "the search")


def test_without_redis_pages_live_with_popular_products_and_the_cart_has_its_lines(souk: Platform) -> None:
    with souk.guest() as guest, souk.guest() as buyer, souk.owner as owner:
        souk.fill_cart(buyer)
        with souk.without("redis"):
            assert "R$20.00" in souk.cart(buyer).raise_for_status().text
            for path in ("/shop", "/shop/products?q=lamp", f"/shop/products/{souk.product_id}"):
                page = guest.get(path)
                assert page.is_success, page.text
                assert NAME in page.text
            assert NAME in guest.get("/shop/recommended").raise_for_status().text  # popular products
            platform = souk.client(bearer(souk.settings))
            recommended = platform.get("/v1/recommendations/somebody").raise_for_status().json()
            assert [part["source"] for part in recommended["parts"] if part["answered"]] == [
                "popular_products"
            ]
            assert NAME in [item["name"] for item in recommended["items"]]
            assert is_fresh(souk)
            ordered = souk.checkout(guest, new_id())
            assert ordered.status_code == 202, ordered.text
            first, second = (owner.get("/v1/sellers/ana/orders") for _ in range(2))
            assert "RateLimit" in first.headers
            assert remaining(second) < remaining(first)
        await_true(lambda: NAME in guest.get("/shop/recommended").raise_for_status().text, "recommendations")


def remaining(response: httpx.Response) -> int:
    """Return how many requests of the limit are left."""
    found = re.search(r"r=(\d+)", response.headers["RateLimit"])
    assert found
    return int(found[1])


@pytest.mark.nightly  # it waits for the breaker's windows; test_service_routes.py has its rules
def test_a_breaker_opens_half_opens_and_closes_as_its_part_goes_and_returns(souk: Platform) -> None:
    ranking = "/v1/products/popular"
    client = souk.client({})
    seen: list[str] = []

    def is_in(state: str) -> bool:
        """Send a request that needs Redis, and return whether the breaker is in this state then."""
        client.get(ranking)
        if (now := souk.breaker("redis")) not in seen[-1:]:
            seen.append(now)
        return now == state

    await_true(lambda: is_in("closed"), "a closed breaker")
    seen.clear()
    assert is_in("closed")
    with souk.without("redis"):
        await_true(lambda: is_in("open"), "an open breaker")
        refused = client.get(ranking)
        assert "It is tried again in" in refused.json()["detail"]
        retry_after_s(refused)
    await_true(lambda: is_in("closed"), "a closed breaker")
    # Trials that began before Redis had started may have opened it again.
    assert (seen[:2], seen[-2:]) == (["closed", "open"], ["half-open", "closed"])
    assert client.get(ranking).is_success


def test_without_postgresql_people_browse_and_checkout_says_when_to_try_again(souk: Platform) -> None:
    key = new_id()
    with souk.guest() as browser, souk.guest() as buyer, souk.owner as owner:
        souk.fill_cart(buyer)
        with souk.without("postgres"):
            for path in ("/shop", "/shop/products?q=lamp", f"/shop/products/{souk.product_id}"):
                assert NAME in browser.get(path).raise_for_status().text
            assert NAME in browser.get("/shop/recommended").raise_for_status().text
            assert is_fresh(souk)
            assert owner.get("/sell/ana", headers=HTML).is_success
            retry_after_s(souk.cart(buyer))
            refused = souk.checkout(browser, key)
            retry_after_s(refused)
            assert "same request" in refused.json()["detail"]
        await_true(lambda: souk.shop.http.get("/ready").is_success, "a commerce that is ready")
        assert "R$20.00" in souk.cart(buyer).raise_for_status().text
        ordered = souk.checkout(browser, key)
        assert ordered.status_code == 202, ordered.text
    assert souk.shop.settled(ordered.json()["order_id"])["status"] == "confirmed"


def test_without_kafka_orders_are_taken_and_confirmed_soon(souk: Platform) -> None:
    with souk.guest() as browser:
        with souk.without("kafka"):
            ordered = souk.checkout(browser, new_id())
            assert (ordered.status_code, ordered.json()["status"]) == (202, "placed")
            path = f"/shop/orders/{ordered.json()['order_id']}"
            assert "Your order will be confirmed soon" in browser.get(path).raise_for_status().text
            assert NAME in browser.get("/shop/products?q=lamp").raise_for_status().text
            assert is_fresh(souk)
        assert souk.shop.settled(ordered.json()["order_id"])["status"] == "confirmed"
        assert "Your order is confirmed" in browser.get(path).raise_for_status().text


def registered(souk: Platform) -> str:
    """Register a person through the gateway, and return their e-mail address."""
    email = f"{new_id()}@shop.example"
    with souk.client(bearer(souk.settings, TESTS)) as client:
        client.post("/v1/auth/registrations", json={"email": email, "password": PASSWORD}).raise_for_status()
        mails = client.get("/v1/mails", params={"to": email}).raise_for_status().json()
        token = re.search(r"token=(\S+)", mails[0]["text"])
        assert token
        given = {"token": token[1], "password": PASSWORD}
        client.post("/v1/auth/verifications", json=given).raise_for_status()
    return email


@pytest.mark.nightly
def test_without_one_commerce_service_the_others_live(souk: Platform) -> None:
    sign_in = {"email": registered(souk), "password": PASSWORD}
    with souk.guest() as browser, souk.guest() as other:
        browser.post("/sign-in", data=sign_in)
        assert browser.get("/v1/me").is_success
        with souk.without("users"):
            refused = other.post("/sign-in", data=sign_in)
            assert refused.status_code == 503
            assert "in a moment" in refused.text  # with the form, and the address that was typed
            retry_after_s(browser.get("/v1/me"))
            assert browser.get("/v1/orders").is_success  # the person stays signed in
            ordered = souk.checkout(browser, new_id())
            assert ordered.status_code == 202, ordered.text
            assert souk.shop.settled(ordered.json()["order_id"])["status"] == "confirmed"
        await_true(lambda: browser.get("/v1/me").is_success, "an answer of the users service")
        assert other.post("/sign-in", data=sign_in).status_code == 303
