"""Routes to services at several addresses, with small HTTP servers as the services."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from time import monotonic

import orjson
import pytest

from common.errors import UserError
from common.http_client import ConnectionLost, RequestFailed, RequestTimedOut
from common.metrics import REGISTRY
from common.settings import LOOPBACK, Settings
from local.state_directory import settings_environment
from serving.gateway.service_addresses import Resolve, resolve_host
from serving.gateway.service_routes import ServiceRoutes, ServiceState
from serving.kit.circuit_breaker import BreakerOpen, BreakerSettings
from tests.integration.http_server import Heard, answered, serving
from tests.integration.servers import TEST_TIMEOUT_S

OK = answered("200 OK", b"{}")
REFUSED = f"http://{LOOPBACK}:1"
"""Nobody listens at this port."""


@asynccontextmanager
async def routes(
    *urls: str, resolve: Resolve = resolve_host, breaker: BreakerSettings | None = None
) -> AsyncIterator[ServiceRoutes]:
    """Routes with these base URLs of the orders service."""
    settings = Settings(home=Path("/nowhere"), commerce_url=REFUSED, service_urls={"orders": ",".join(urls)})
    async with ServiceRoutes(settings, breaker, resolve=resolve) as made:
        yield made


async def until(condition: Callable[[], object]) -> None:
    deadline = monotonic() + TEST_TIMEOUT_S
    while not condition():
        assert monotonic() < deadline, "it did not happen in time"
        await asyncio.sleep(0.01)


def orders(made: ServiceRoutes) -> ServiceState:
    return made.snapshot()["orders"]


def healthy(made: ServiceRoutes) -> list[bool]:
    return [each["healthy"] for each in orders(made)["addresses"]]


def shop_requests(server: Heard) -> int:
    """Return the number of requests that are no health checks."""
    return sum(not request.startswith(b"GET /ready") for request in server.requests)


async def close_without_answer(_request: bytes, writer: asyncio.StreamWriter) -> None:
    writer.close()


class Switch:
    """A service that a test stops answering, and lets answer again."""

    def __init__(self) -> None:
        self.works = True

    async def __call__(self, request: bytes, writer: asyncio.StreamWriter) -> None:
        await (OK if self.works else close_without_answer)(request, writer)


def test_a_service_without_an_address_of_its_own_is_at_that_of_commerce() -> None:
    async def read() -> set[str]:
        async with serving(OK) as server, routes(server.url) as made:
            return {
                each["url"]
                for service, state in made.snapshot().items()
                if service != "orders"
                for each in state["addresses"]
            }

    assert asyncio.run(read()) == {REFUSED}


def test_an_unknown_service_in_the_settings_is_a_users_mistake() -> None:
    with pytest.raises(UserError, match="'order' is no service; there are orders"):
        ServiceRoutes(Settings(service_urls={"order": REFUSED}))


def test_requests_go_to_the_address_with_the_fewest_outstanding_ones() -> None:
    async def send() -> tuple[list[int], list[int]]:
        release = asyncio.Event()

        async def wait(request: bytes, writer: asyncio.StreamWriter) -> None:
            if not request.startswith(b"GET /ready"):
                await release.wait()
            await OK(request, writer)

        async with AsyncExitStack() as stack:
            servers = [await stack.enter_async_context(serving(wait)) for _ in range(3)]
            made = await stack.enter_async_context(routes(*(server.url for server in servers)))
            sent = [asyncio.create_task(made.request("orders", "GET", "/")) for _ in range(30)]
            await until(lambda: sum(map(shop_requests, servers)) == 30)
            outstanding = [each["outstanding"] for each in orders(made)["addresses"]]
            release.set()
            await asyncio.gather(*sent)
            return outstanding, [each["outstanding"] for each in orders(made)["addresses"]]

    assert asyncio.run(send()) == ([10, 10, 10], [0, 0, 0])


def test_equally_busy_addresses_are_chosen_at_random() -> None:
    async def send() -> Counter[int]:
        async with serving(OK) as first, serving(OK) as second, routes(first.url, second.url) as made:
            for _ in range(200):
                await made.request("orders", "GET", "/")
            return Counter({1: shop_requests(first), 2: shop_requests(second)})

    assert min(asyncio.run(send()).values()) > 50


@pytest.mark.parametrize("method", ["GET", "PUT"])
def test_a_refused_connection_costs_no_request_and_the_address_is_left_out(method: str) -> None:
    async def send() -> tuple[int, list[bool]]:
        async with serving(OK) as server, routes(REFUSED, server.url) as made:
            for _ in range(20):
                assert (await made.request("orders", method, "/", body=b"{}")).status == 200
            return shop_requests(server), healthy(made)

    assert asyncio.run(send()) == (20, [False, True])


def test_a_lost_connection_is_repeated_elsewhere_only_if_that_is_harmless() -> None:
    async def send() -> tuple[int, int]:
        async with (
            serving(close_without_answer) as broken,
            serving(OK) as server,
            routes(broken.url, server.url) as made,
        ):
            for _ in range(20):
                assert (await made.request("orders", "GET", "/", idempotent=True)).status == 200
            before = shop_requests(broken) + shop_requests(server)
            broken_address = made._addresses("orders")[0]
            made._addresses("orders")[1].outstanding += 100  # the broken one is the less busy one
            broken_address.healthy = True
            with pytest.raises(ConnectionLost):
                await made.request("orders", "POST", "/")
            return before, shop_requests(broken) + shop_requests(server)

    before, after = asyncio.run(send())
    assert after == before + 1


def test_an_address_that_fails_its_health_checks_is_left_out_until_it_passes_them() -> None:
    async def send() -> None:
        switch = Switch()
        async with serving(switch) as first, serving(OK) as second, routes(first.url, second.url) as made:
            await until(lambda: first.requests)
            switch.works = False
            await until(lambda: healthy(made) == [False, True])
            seen = shop_requests(first)
            for _ in range(20):
                await made.request("orders", "GET", "/")
            assert shop_requests(first) == seen
            switch.works = True
            await until(lambda: healthy(made) == [True, True])
            for _ in range(50):
                await made.request("orders", "GET", "/")
            assert shop_requests(first) > seen

    asyncio.run(send())


def test_if_no_address_is_healthy_one_is_tried_all_the_same() -> None:
    async def not_healthy(request: bytes, writer: asyncio.StreamWriter) -> None:
        is_check = request.startswith(b"GET /ready")
        await (answered("503 Service Unavailable", b"") if is_check else OK)(request, writer)

    async def send() -> int:
        async with serving(not_healthy) as server, routes(server.url) as made:
            await until(lambda: healthy(made) == [False])
            return (await made.request("orders", "GET", "/")).status

    assert asyncio.run(send()) == 200


def test_all_addresses_of_a_name_are_used_and_the_name_is_sent() -> None:
    async def send() -> tuple[set[str | None], bytes]:
        async def resolve(host: str) -> list[str]:
            assert host == "orders.test"
            return [LOOPBACK, "127.0.0.2"]

        async with serving(OK) as server:
            port = server.url.rpartition(":")[2]
            async with routes(f"http://orders.test:{port}", resolve=resolve) as made:
                await until(lambda: len(orders(made)["addresses"]) == 2)
                # Nobody listens at 127.0.0.2, so that all requests end up at the server.
                for _ in range(10):
                    assert (await made.request("orders", "PUT", "/")).status == 200
                found = {each["address"] for each in orders(made)["addresses"]}
                return found, next(request for request in server.requests if request.startswith(b"PUT"))

    found, request = asyncio.run(send())
    assert found == {LOOPBACK, "127.0.0.2"}
    assert b"host: orders.test:" in request.lower()


def test_addresses_that_a_name_no_longer_has_are_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("serving.gateway.service_addresses.RESOLVE_INTERVAL_S", 0.0)

    async def send() -> None:
        found = [LOOPBACK, "127.0.0.2"]

        async def resolve(_host: str) -> list[str]:
            if not found:
                raise OSError("no such name")
            return list(found)

        async with serving(OK) as server:
            port = server.url.rpartition(":")[2]
            async with routes(f"http://orders.test:{port}", resolve=resolve) as made:
                await until(lambda: len(orders(made)["addresses"]) == 2)
                found.pop()
                await until(lambda: [each["address"] for each in orders(made)["addresses"]] == [LOOPBACK])
                found.clear()
                assert (await made.request("orders", "GET", "/")).status == 200

    asyncio.run(send())


def test_a_service_that_fails_too_often_is_not_called_until_it_answers_its_health_checks() -> None:
    async def send() -> None:
        switch = Switch()
        breaker = BreakerSettings(window=10, minimum_calls=5, first_open_s=3600, max_open_s=3600, trials=3)
        async with serving(switch) as server, routes(server.url, breaker=breaker) as made:
            switch.works = False
            for _ in range(5):
                with pytest.raises(RequestFailed):
                    await made.request("orders", "GET", "/")
            assert orders(made)["breaker"] == "open"
            seen = shop_requests(server)
            with pytest.raises(BreakerOpen):
                await made.request("orders", "GET", "/")
            assert shop_requests(server) == seen
            await until(lambda: healthy(made) == [False])
            switch.works = True
            await until(lambda: orders(made)["breaker"] == "half_open")
            for _ in range(3):
                await made.request("orders", "GET", "/")
            assert orders(made)["breaker"] == "closed"

    asyncio.run(send())


@pytest.mark.parametrize(("answers_checks", "state"), [(False, "open"), (True, "closed")])
def test_the_first_request_to_time_out_opens_the_breaker_of_a_service_that_answers_nothing_at_all(
    answers_checks: bool, state: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("serving.gateway.service_addresses.PEER_TIMEOUT_S", 1.0)
    monkeypatch.setattr("serving.gateway.service_addresses.SILENT_AFTER_S", 0.5)
    monkeypatch.setattr("serving.gateway.service_addresses.HEALTHY_INTERVAL_S", 0.0)

    async def send() -> str:
        hangs, is_over = asyncio.Event(), asyncio.Event()

        async def hang(request: bytes, writer: asyncio.StreamWriter) -> None:
            if hangs.is_set() and not (answers_checks and request.startswith(b"GET /ready")):
                await is_over.wait()
            await OK(request, writer)

        async with serving(hang) as server, routes(server.url) as made:
            for _ in range(100):
                await made.request("orders", "POST", "/")
            hangs.set()
            await until(lambda: healthy(made) == [answers_checks])
            with pytest.raises(RequestTimedOut):
                await made.request("orders", "POST", "/")
            is_over.set()
            return orders(made)["breaker"]

    assert asyncio.run(send()) == state


def test_one_service_that_is_away_does_not_close_the_others() -> None:
    async def send() -> tuple[str, str, int]:
        async with serving(OK) as server, routes(server.url) as made:
            for _ in range(20):
                with pytest.raises(RequestFailed):
                    await made.request("payments", "GET", "/")
            status = (await made.request("orders", "GET", "/")).status
            return made.snapshot()["payments"]["breaker"], orders(made)["breaker"], status

    assert asyncio.run(send()) == ("open", "closed", 200)


def test_an_address_that_is_stopping_is_left_out_before_it_refuses_connections() -> None:
    async def send() -> tuple[int, int]:
        stopping = asyncio.Event()

        async def stop(request: bytes, writer: asyncio.StreamWriter) -> None:
            is_check = request.startswith(b"GET /ready?exclude=parts")
            status = "503 Service Unavailable" if is_check and stopping.is_set() else "200 OK"
            closing = ["Connection: close"] if stopping.is_set() else []
            await answered(status, b"{}", *closing)(request, writer)

        async with serving(stop) as first, serving(OK) as second, routes(first.url, second.url) as made:
            await until(lambda: first.requests)
            stopping.set()

            async def is_left_out() -> bool:
                await made.request("orders", "POST", "/")
                return healthy(made) == [False, True]

            while not await is_left_out():
                pass
            before = shop_requests(first)
            for _ in range(20):
                await made.request("orders", "POST", "/")
            return shop_requests(first) - before, shop_requests(second)

    after, others = asyncio.run(send())
    assert after == 0
    assert others >= 20


def bases(made: ServiceRoutes) -> dict[str, list[str]]:
    return {
        service: [each["url"] for each in state["addresses"]] for service, state in made.snapshot().items()
    }


def test_the_urls_of_services_come_from_the_environment(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    urls = {"orders": f"{REFUSED}/, http://127.0.0.2:1", "users": "http://127.0.0.3:1"}
    for name, value in settings_environment(Settings(home=tmp_path, service_urls=urls)).items():
        monkeypatch.setenv(name, value)

    async def read() -> dict[str, list[str]]:
        async with ServiceRoutes(Settings.load()) as made:
            return bases(made)

    found = asyncio.run(read())
    assert found["orders"] == [REFUSED, "http://127.0.0.2:1"]
    assert found["users"] == ["http://127.0.0.3:1"]
    assert found["payments"] == [Settings.load().commerce]


def is_valid() -> float | None:
    return REGISTRY.get_sample_value("souk_watched_file_valid", {"file": "service_urls"})


def test_a_file_with_urls_is_followed_while_requests_run_and_no_request_is_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("serving.gateway.service_routes.WATCH_EVERY_S", 0.02)
    file = tmp_path / "urls.json"

    def write(content: object) -> None:
        fresh = tmp_path / "urls.new"
        fresh.write_bytes(content if isinstance(content, bytes) else orjson.dumps(content))
        fresh.replace(file)

    async def run() -> None:
        release, is_over = asyncio.Event(), asyncio.Event()

        async def slow(request: bytes, writer: asyncio.StreamWriter) -> None:
            if b" /slow " in request:
                await release.wait()
            await OK(request, writer)

        async with serving(slow) as first, serving(OK) as second, serving(OK) as commerce:
            write({"orders": first.url})
            settings = Settings(home=tmp_path, commerce_url=commerce.url, service_urls_file=file)
            async with ServiceRoutes(settings) as made:

                async def send() -> int:
                    sent = 0
                    while not is_over.is_set():
                        assert (await made.request("orders", "POST", "/")).status == 200
                        sent += 1
                    return sent

                load = asyncio.create_task(send())
                open_request = asyncio.create_task(made.request("orders", "POST", "/slow"))
                await until(lambda: any(b" /slow " in request for request in first.requests))

                write({"orders": [second.url]})
                await until(lambda: shop_requests(second))
                release.set()
                assert (await open_request).status == 200  # its address was dropped meanwhile

                write(b'{"orders": "http:')
                await until(lambda: is_valid() == 0)
                assert bases(made)["orders"] == [second.url]
                seen = shop_requests(second)
                await until(lambda: shop_requests(second) > seen + 20)

                write({"users": first.url})  # orders are at the address of commerce again
                await until(lambda: is_valid() == 1 and shop_requests(commerce))
                found = bases(made)
                assert found.pop("users") == [first.url]
                assert set(map(tuple, found.values())) == {(commerce.url,)}
                file.unlink()
                await until(lambda: is_valid() == 0)
                assert bases(made)["users"] == [first.url]
                is_over.set()
                assert await load == sum(map(shop_requests, (first, second, commerce))) - 1

    asyncio.run(run())


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, "No such file"),
        ("{", "is not JSON"),
        ("[]", "expected an object such as"),
        ('{"order": "http://a:1"}', "'order' is no service; there are orders"),
        ('{"orders": 7}', "orders: expected URLs, as a list or separated by commas"),
        ('{"orders": "a:8010"}', "orders: 'a:8010' is not a URL such as http://host:8010"),
        ('{"orders": ["http://a:99999"]}', "is not a URL"),
    ],
)
def test_a_file_with_urls_that_is_wrong_at_the_start_is_a_users_mistake(
    content: str | None, reason: str, tmp_path: Path
) -> None:
    file = tmp_path / "urls.json"
    if content is not None:
        file.write_text(content)

    with pytest.raises(UserError, match=r"SOUK_SERVICE_URLS_FILE: .*urls\.json") as raised:
        ServiceRoutes(Settings(home=tmp_path, service_urls_file=file))
    assert reason in str(raised.value)
