"""A process of the services is replaced while people buy: no checkout fails, no message is done twice."""

import asyncio
import re
import signal
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from threading import Event
from typing import Any

import httpx
import orjson
import pytest
from hypothesis import settings as profile

from common.ids import new_id
from common.principal import platform
from common.principal_token import COMMERCE, HEADER, PrincipalTokens
from common.settings import Settings
from local.parts.processes import PROCESSES
from serving.gateway.service_routes import ServiceRoutes
from tests.integration.commerce_servers import Shop
from tests.integration.servers import Server, await_true, running
from tests.ports import free_offset

ORDERS = 40
BUYERS = 6
REPLACEMENTS = 2 if profile.default.max_examples > 100 else 1
"""How often a process is replaced: once, and in the nightly run again."""

PAUSE_S = 0.5
"""The pause of a buyer after a checkout, so that the orders of the test soon end."""

CHARGES = (
    "SELECT count(*) AS charges FROM provider.charges JOIN payments.payments ON payment_id = idempotency_key "
    "WHERE shopper_id = $1 AND outcome = 'captured'"
)
ENDED = "SELECT count(*) AS orders FROM orders.orders WHERE status = 'confirmed' AND shopper_id = $1"
STOCK = "SELECT FROM inventory.stock WHERE product_id = $1 FOR UPDATE"


@pytest.fixture
def second(shop: Shop, tmp_path: Path) -> Iterator[Server]:
    """Another process of all services, on the same PostgreSQL and Kafka."""
    addresses = {
        "kafka_bootstrap": shop.settings.kafka,
        "registry_url": shop.settings.registry,
        "postgres_url": shop.settings.postgres,
    }
    other = {"home": tmp_path, "port_offset": free_offset(), **addresses}
    settings = shop.settings.model_copy(update=other)
    with running(PROCESSES["commerce"].part(settings), settings) as server:
        yield server


def inbox(shop: Shop) -> Counter[str]:
    """Return how many messages the process has handled, by outcome."""
    text = shop.http.get("/metrics").raise_for_status().text
    found = re.findall(r'^souk_inbox_messages_total\{.*outcome="(\w+)".*\} (\S+)$', text, re.MULTILINE)
    outcomes: Counter[str] = Counter()
    for outcome, count in found:
        outcomes[outcome] += int(float(count))
    return outcomes


def test_what_is_in_work_at_sigterm_ends_and_nothing_is_processed_a_second_time(
    shop: Shop, eventually: Callable[..., Any]
) -> None:
    lamp, shopper = shop.product(stock=ORDERS), new_id()
    eventually(shop.caught_up)

    def buy(orders: int) -> None:
        list(threads.map(lambda _: shop.buy(lamp, shopper_id=shopper), range(orders)))

    with ThreadPoolExecutor(BUYERS) as threads:
        buy(ORDERS // 2)
        with shop.locked(STOCK, lamp):  # until then, an order is in work
            buy(ORDERS - ORDERS // 2)
            shop.process.send_signal(signal.SIGTERM)
            await_true(lambda: is_refused(shop.settings.commerce), "the end of new connections")
    assert shop.process.wait(60) == 0
    left = shop.sql(ENDED, shopper)[0]["orders"]
    shop.start()

    eventually(lambda: shop.sql(ENDED, shopper) == [{"orders": ORDERS}])
    eventually(shop.caught_up)
    assert shop.sql(CHARGES, shopper) == [{"charges": ORDERS}]
    assert left < ORDERS
    outcomes = inbox(shop)
    assert outcomes["acted"] > 0
    assert outcomes["repeated"] == 0


def test_a_process_that_is_told_to_stop_says_so_first_and_ends_the_request_that_it_has(shop: Shop) -> None:
    body, url, is_begun = orjson.dumps(shop.body(shop.product())), shop.settings.commerce, Event()

    def slowly() -> Iterator[bytes]:
        yield body[:10]
        is_begun.set()
        await_true(lambda: is_refused(url), "the end of new connections")
        yield body[10:]

    with httpx.Client(trust_env=False, timeout=60) as idle, ThreadPoolExecutor(1) as thread:
        assert not stopping(idle, url)  # its connection is open from then on: new ones are taken for a second
        sent = thread.submit(
            shop.http.post, "/v1/orders", content=slowly(),
            headers={"Idempotency-Key": new_id(), "Content-Type": "application/json"},
        )  # fmt: skip
        await_true(lambda: is_begun.wait(0.1) or sent.done(), "the request")
        shop.process.send_signal(signal.SIGTERM)
        said = await_true(lambda: stopping(idle, url), "`/ready`")
        answer = sent.result(60)

    assert said.json()["missing"].keys() == {"stopping"}
    assert said.headers["Connection"] == "close"
    assert answer.status_code == 202, answer.text
    assert shop.process.wait(60) == 0
    shop.start()
    assert shop.settled(answer.json()["order_id"])["status"] == "confirmed"


def stopping(client: httpx.Client, url: str) -> httpx.Response | None:
    """Return the response of `/ready` once the process is stopping."""
    response = client.get(f"{url}/ready")
    return response if "stopping" in response.json()["missing"] else None


def is_refused(url: str) -> bool:
    """Return whether nobody listens. On a busy machine, who listens may answer late."""
    with suppress(httpx.TimeoutException):
        try:
            httpx.get(f"{url}/health", trust_env=False, timeout=5)
        except httpx.ConnectError:
            return True
    return False


def test_no_checkout_fails_while_one_of_two_processes_is_replaced(
    shop: Shop, second: Server, eventually: Callable[..., Any]
) -> None:
    lamp, shopper = shop.product(stock=100_000), new_id()
    urls = {"orders": f"{shop.settings.commerce},{second.settings.commerce}"}
    routes = Settings(home=shop.settings.home, commerce_url=shop.settings.commerce, service_urls=urls)
    body = orjson.dumps(shop.body(lamp, shopper_id=shopper))
    tokens = PrincipalTokens(shop.settings)
    statuses: Counter[int] = Counter()
    is_over = Event()

    async def buy(gateway: ServiceRoutes) -> None:
        while not is_over.is_set():
            headers = [
                (HEADER, tokens.make(platform("tests"), COMMERCE, None)),
                ("Idempotency-Key", new_id()),
                ("Content-Type", "application/json"),
            ]
            # Not idempotent for the gateway: what was sent once is never sent again.
            answer = await gateway.request("orders", "POST", "/v1/orders", headers, body)
            statuses[answer.status] += 1
            await asyncio.sleep(PAUSE_S)

    def replace_process() -> None:
        try:
            for _ in range(REPLACEMENTS):
                wait_for_load()
                shop.process.send_signal(signal.SIGTERM)
                assert shop.process.wait(60) == 0
                shop.start()
            wait_for_load()
        finally:
            is_over.set()

    def wait_for_load() -> None:
        enough = statuses.total() + 10 * BUYERS
        await_true(lambda: statuses.total() >= enough, "the load")

    async def run() -> None:
        async with ServiceRoutes(routes) as gateway, asyncio.TaskGroup() as tasks:
            tasks.create_task(asyncio.to_thread(replace_process))
            for _ in range(BUYERS):
                tasks.create_task(buy(gateway))

    asyncio.run(run())

    assert statuses.keys() == {202}
    accepted = statuses[202]
    eventually(lambda: shop.sql(ENDED, shopper) == [{"orders": accepted}])
    assert shop.sql(CHARGES, shopper) == [{"charges": accepted}]
