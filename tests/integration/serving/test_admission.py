"""An overloaded process refuses requests before it does anything else for them."""

import asyncio
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

import httpx
import pytest
import uvicorn
from fastapi import Request
from starlette.responses import Response

from common.access_policy import AccessPolicy
from common.guarded_route import RouteHandler
from common.metrics import REGISTRY
from common.principal import guest, platform
from common.settings import LOOPBACK, Settings
from serving.admission import AdmissionProtocol
from serving.app import create_app
from serving.gateway import load_shedding
from serving.gateway.load_shedding import SHARES
from tests.integration.servers import TEST_TIMEOUT_S, await_true
from tests.ports import free_offset
from tests.principals import bearer

PAGE = {"Accept": "text/html"}


@dataclass
class SlowGuard:
    """A guard that answers each request as soon as `go_on` is set, without the route, and counts them."""

    go_on: threading.Event = field(default_factory=threading.Event)
    admitted: int = 0

    async def handle(self, _request: Request, _policy: AccessPolicy, _respond: RouteHandler) -> Response:
        """Answer."""
        self.admitted += 1
        while not self.go_on.is_set():
            await asyncio.sleep(0.01)
        return Response(b"answered")


@dataclass
class Shop:
    """The API in a thread of this process, without stores, and its guard."""

    settings: Settings
    guard: SlowGuard

    def client(self) -> httpx.Client:
        return httpx.Client(base_url=self.settings.serving, trust_env=False, timeout=TEST_TIMEOUT_S)

    def connect(self, content: bytes) -> socket.socket:
        """Open a connection and send these bytes."""
        connection = socket.create_connection((LOOPBACK, self.settings.port("serving")), TEST_TIMEOUT_S)
        connection.sendall(content)
        return connection


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    settings = Settings(home=tmp_path_factory.mktemp("shop"), port_offset=free_offset())
    app = create_app(settings)
    config = uvicorn.Config(
        app, host=LOOPBACK, port=settings.port("serving"), http=AdmissionProtocol, log_config=None
    )
    running = uvicorn.Server(config)
    thread = threading.Thread(target=running.run)
    thread.start()
    try:
        await_true(lambda: running.started, "the start")
        app.state.guard = SlowGuard()
        yield Shop(settings, app.state.guard)
    finally:
        running.should_exit = True
        thread.join(TEST_TIMEOUT_S)


@pytest.fixture
def shop(server: Shop) -> Iterator[Shop]:
    server.guard.admitted = 0
    server.guard.go_on.set()
    yield server
    server.guard.go_on.set()


@pytest.fixture
def full(monkeypatch: pytest.MonkeyPatch) -> None:
    """There is no place for anybody who may be refused."""
    for traffic in SHARES.keys() - load_shedding.RESERVE.keys():
        monkeypatch.setitem(SHARES, traffic, -1.0)


@pytest.fixture
def full_of_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """There is no place for the classes that are refused first."""
    for traffic in ("recommendation", "page", "read"):
        monkeypatch.setitem(SHARES, traffic, -1.0)


def refused(traffic: str) -> float:
    """Return how many requests of a class were refused because of load."""
    labels = {"traffic": traffic, "reason": "load"}
    return REGISTRY.get_sample_value("souk_requests_refused_total", labels) or 0


def statuses(connection: socket.socket, responses: int) -> list[bytes]:
    """Return the statuses of so many responses, and close the connection."""
    with connection, connection.makefile("rb") as file:
        found = []
        for _ in range(responses):
            found.append(file.readline()[9:12])
            length = 0
            while (line := file.readline().lower()) not in (b"\r\n", b""):
                length = int(line[15:]) if line.startswith(b"content-length:") else length
            file.read(length)
        return found


def request(method: str, path: str, body: bytes = b"") -> bytes:
    """Return a request in HTTP/1.1."""
    head = f"{method} {path} HTTP/1.1\r\nHost: {LOOPBACK}\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


@pytest.mark.usefixtures("full")
def test_a_refusal_is_a_page_in_the_readers_language_or_a_problem(shop: Shop) -> None:
    before = refused("page")
    portuguese = {**PAGE, "Accept-Language": "pt-BR"}
    with shop.client() as client:
        page = client.get("/shop", headers=PAGE)
        translated = client.get("/shop", headers=portuguese)
        chosen = client.get("/shop", headers={**portuguese, "Cookie": "souk_language=en"})
        head = client.head("/shop", headers=PAGE)
        problem = client.get("/v1/products/a%22b", headers=PAGE)

    assert shop.guard.admitted == 0
    assert "The shop has more visitors than it can serve" in page.text
    assert 'lang="pt-BR"' in translated.text
    assert 'lang="en"' in chosen.text
    assert problem.json()["type"] == "urn:souk:problem:temporary-reduced-capacity"
    assert problem.json()["instance"] == '/v1/products/a"b'
    assert (head.content, head.headers["content-type"]) == (b"", page.headers["content-type"])
    for response in (page, translated, chosen, head, problem):
        assert response.status_code == 503
        assert response.headers["retry-after"] in ("1", "2", "3")
        assert response.headers["cache-control"] == "no-store"
        assert "script-src 'self'" in response.headers["content-security-policy"]
    assert refused("page") == before + 4


@pytest.mark.usefixtures("full_of_pages")
def test_checkouts_the_sign_in_and_the_cart_are_admitted_while_pages_are_refused(shop: Shop) -> None:
    requests = {
        "a page": ("GET", "/shop"),
        "the orders": ("GET", "/v1/orders"),
        "no page": ("GET", "/nowhere"),
        "an encoded path": ("GET", "/%73ign-in"),
        "the sign-in": ("GET", "/sign-in"),
        "the refresh": ("POST", "/session/refresh"),
        "the cart": ("GET", "/shop/cart"),
        "a checkout": ("POST", "/v1/orders"),
        "the state": ("GET", "/ready"),
    }
    with shop.client() as client:
        answered = {name for name, sent in requests.items() if client.request(*sent).status_code != 503}
    assert answered == {"the sign-in", "the refresh", "the cart", "a checkout", "the state"}


@pytest.mark.usefixtures("full")
def test_the_platform_and_the_files_of_pages_are_never_refused(shop: Shop) -> None:
    path = "/v1/products/one"
    of_platform, of_guest = bearer(shop.settings, platform("alerts")), bearer(shop.settings, guest("a" * 32))
    with shop.client() as client:
        assert client.get(path, headers=of_platform).status_code == 200
        assert client.get(path, headers=of_guest).status_code == 503
        assert client.get(path, headers={"Authorization": "Bearer x.y.z"}).status_code == 503
        assert client.get("/static/souk.css").status_code == 200
        picture = client.get("/shop/tiles/lamp-teal-3-1.svg")
        assert (picture.status_code, picture.headers["content-type"]) == (200, "image/svg+xml")
        unknown = client.get("/shop/tiles/lamp-mauve-0-0.svg")
        assert unknown.json()["type"].endswith("unknown-tile")


@pytest.mark.usefixtures("full")
def test_a_connection_stays_open_after_a_refusal_whatever_its_body(shop: Shop) -> None:
    content = request("POST", "/v1/events", b"x" * 300_000) + request("GET", "/v1/orders/one") * 2
    assert statuses(shop.connect(content + request("POST", "/v1/orders", b"{}")), 4) == [
        b"503",
        b"503",
        b"503",
        b"200",
    ]


@pytest.mark.usefixtures("full")
def test_a_client_that_waits_before_it_sends_its_body_gets_the_refusal_and_no_further_request(
    shop: Shop,
) -> None:
    head = (
        f"POST /v1/events HTTP/1.1\r\nHost: {LOOPBACK}\r\nContent-Length: 9\r\nExpect: 100-continue\r\n\r\n"
    )
    with shop.connect(head.encode()) as connection, connection.makefile("rb") as file:
        answer = file.read()  # to the end of the connection
    assert answer.startswith(b"HTTP/1.1 503 ")
    assert b"\r\nconnection: close\r\n" in answer


@pytest.mark.usefixtures("full")
def test_hundreds_of_pipelined_requests_are_refused_in_their_order(shop: Shop) -> None:
    shop.guard.go_on.clear()
    checkout, page = request("POST", "/v1/orders", b"{}"), request("GET", "/v1/orders/one")
    connection = shop.connect(checkout + page * 500)  # less than the buffers of both sides
    await_true(lambda: shop.guard.admitted == 1, "the checkout")
    shop.guard.go_on.set()
    assert statuses(connection, 501) == [b"200", *[b"503"] * 500]


def test_a_request_counts_from_its_head_to_its_response(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(load_shedding, "BURST", 1.0)
    shop.guard.go_on.clear()
    before = refused("page")
    waiting = [shop.connect(request("GET", "/")) for _ in range(60)]
    await_true(lambda: shop.guard.admitted + refused("page") - before == 60, "the answers")
    shop.guard.go_on.set()
    found = [status for connection in waiting for status in statuses(connection, 1)]
    assert (found.count(b"200"), found.count(b"503")) == (45, 15)  # .7 of the first limit, which is 64
    assert [statuses(shop.connect(request("GET", "/")), 1) for _ in range(60)] == [[b"200"]] * 60
