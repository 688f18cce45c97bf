"""The gateway, with an echo server as a stand-in for the commerce services."""

import threading
from collections.abc import Iterator
from contextlib import closing
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar

import httpx
import orjson
import pytest

from common.correlation import trace_id_of
from common.principal import guest
from common.settings import LOOPBACK
from producers.kit.http.routes import LIST_LIMIT
from tests.integration.serving.conftest import LoneApi
from tests.principals import bearer


class Echo(BaseHTTPRequestHandler):
    """Responds with the received request; `X-Request-Id` selects the kind of response."""

    protocol_version = "HTTP/1.1"
    connections: ClassVar[set[tuple[str, int]]] = set()
    dropped: ClassVar[list[str]] = []
    """Methods of requests that were read and got no response."""

    def answer(self) -> None:
        if self.path.startswith("/v1/orders"):  # health checks and polls have connections, too
            self.connections.add(self.client_address)
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        if self.headers.get("X-Request-Id") == "drop":
            self.dropped.append(self.command)
            self.close_connection = True
            return
        heard = {"method": self.command, "path": self.path, "body": body, "headers": dict(self.headers)}
        refused = self.headers.get("X-Request-Id") == "refuse"
        said = orjson.dumps({"title": "no"} if refused else heard)
        self.send_response(409 if refused else 202)
        self.send_header("Content-Type", "application/problem+json" if refused else "application/json")
        self.send_header("Content-Length", str(len(said)))
        self.send_header("Location", "/v1/orders/one")
        self.send_header("X-Correlation-Id", self.headers.get("X-Correlation-Id", ""))
        self.send_header("Set-Cookie", "commerce=secret")
        self.end_headers()
        self.wfile.write(said)
        if self.headers.get("X-Request-Id") == "hang-up":
            self.close_connection = True  # the gateway detects it at its next request

    do_GET = do_POST = do_PUT = answer  # noqa: N815

    def log_message(self, format: str, *arguments: object) -> None:
        pass


@pytest.fixture(scope="module")
def commerce(lone_api: LoneApi) -> Iterator[None]:
    server = ThreadingHTTPServer((LOOPBACK, lone_api.settings.port("commerce")), Echo)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    yield
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def gateway(lone_api: LoneApi) -> Iterator[httpx.Client]:
    base, headers = lone_api.settings.serving, bearer(lone_api.settings)
    with httpx.Client(base_url=base, trust_env=False, timeout=30, headers=headers) as client:
        yield client


ORDER = b'{"lines": []}'


# The first test of the file, because the other tests start a server that runs until the end.
def test_while_commerce_is_away_whoever_asks_is_told_when_to_come_again(gateway: httpx.Client) -> None:
    answer = gateway.post("/v1/orders", content=ORDER, headers={"Idempotency-Key": "once"})
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["type"] == "urn:souk:problem:commerce-unavailable"


@pytest.mark.usefixtures("commerce")
def test_an_order_is_passed_on_as_it_came(gateway: httpx.Client) -> None:
    sent = {
        "Content-Type": "application/json",
        "Idempotency-Key": "once",
        "X-Correlation-Id": "c-1",
        "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "Cookie": "souk_session=secret",
    }
    answer = gateway.post("/v1/orders?a=b%2Fc", content=ORDER, headers=sent)
    heard = answer.json()
    assert (heard["method"], heard["path"], heard["body"]) == ("POST", "/v1/orders?a=b%2Fc", ORDER.decode())
    lower = {name.lower(): value for name, value in heard["headers"].items()}
    assert {name: lower.get(name.lower()) for name in sent} == sent | {"Cookie": None}


@pytest.mark.usefixtures("commerce")
def test_the_trace_of_an_outsider_is_not_passed_on(lone_api: LoneApi) -> None:
    trace_id = "0af7651916cd43dd8448eb2100000000"
    sent = bearer(lone_api.settings, guest("someone")) | {
        "Idempotency-Key": "once",
        "X-Correlation-Id": "c-1",
        "traceparent": f"00-{trace_id}-b7ad6b7169203331-01",
        "tracestate": "souk=b7ad6b7169203331",
    }
    url = f"{lone_api.settings.serving}/v1/orders"
    heard = httpx.post(url, content=ORDER, headers=sent, trust_env=False, timeout=30).json()
    lower = {name.lower(): value for name, value in heard["headers"].items()}
    assert lower["x-correlation-id"] == "c-1"
    assert trace_id_of(lower["traceparent"]) not in ("", trace_id)
    assert "tracestate" not in lower


@pytest.mark.usefixtures("commerce")
def test_an_answer_comes_back_as_it_was_given(gateway: httpx.Client) -> None:
    answer = gateway.get("/v1/orders/one", headers={"X-Correlation-Id": "c-2"})
    assert (answer.status_code, answer.headers["location"]) == (202, "/v1/orders/one")
    assert answer.headers["x-correlation-id"] == "c-2"
    assert "set-cookie" not in answer.headers
    assert "default-src 'none'" in answer.headers["content-security-policy"]


@pytest.mark.usefixtures("commerce")
def test_a_refusal_comes_back_as_it_was_given(gateway: httpx.Client) -> None:
    answer = gateway.post("/v1/orders", content=ORDER, headers={"X-Request-Id": "refuse"})
    assert (answer.status_code, answer.headers["content-type"]) == (409, "application/problem+json")
    assert answer.json() == {"title": "no"}


@pytest.mark.usefixtures("commerce")
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/v1/orders"),
        ("GET", "/v1/orders/one%20two"),
        ("POST", "/v1/orders/one/cancellation"),
        ("GET", "/v1/products/lamp/stock"),
        ("PUT", "/v1/products/lamp/stock"),
        ("PUT", "/v1/stock"),
    ],
)
def test_every_address_of_commerce_is_passed_on(gateway: httpx.Client, method: str, path: str) -> None:
    heard = gateway.request(method, path, content=b"" if method == "GET" else b"{}").json()
    assert (heard["method"], heard["path"]) == (method, path)


@pytest.mark.usefixtures("commerce")
def test_connections_are_kept(gateway: httpx.Client) -> None:
    Echo.connections.clear()
    for _ in range(20):
        gateway.get("/v1/orders/one")
    assert len(Echo.connections) <= 3  # the gateway also polls the users service


@pytest.mark.usefixtures("commerce")
def test_a_connection_that_was_closed_meanwhile_costs_nobody_an_order(gateway: httpx.Client) -> None:
    for _ in range(10):
        sent = {"X-Request-Id": "hang-up", "Idempotency-Key": "once"}
        assert gateway.post("/v1/orders", content=ORDER, headers=sent).status_code == 202


@pytest.mark.usefixtures("commerce")
@pytest.mark.parametrize(
    ("method", "path", "key", "times"),
    [
        ("PUT", "/v1/products/lamp/stock", None, 1),
        ("PUT", "/v1/products/lamp/stock", "once", 2),
        ("POST", "/v1/orders/one/cancellation", None, 1),
        ("POST", "/v1/orders", "once", 2),
        ("GET", "/v1/orders/one", None, 2),
    ],
)
def test_only_what_may_be_done_twice_is_sent_twice(
    gateway: httpx.Client, method: str, path: str, key: str | None, times: int
) -> None:
    gateway.get("/v1/orders/one")  # the pooled connection is open now
    Echo.dropped.clear()
    sent = {"X-Request-Id": "drop", **({"Idempotency-Key": key} if key else {})}
    answer = gateway.request(method, path, headers=sent)

    assert answer.status_code == 503
    assert [method] * times == Echo.dropped
    assert ("may or may not have taken effect" in answer.json()["detail"]) == (times == 1)


def put_stock(gateway: httpx.Client, segment: str) -> tuple[int, Any]:
    """Return the status and the JSON of a request with this segment as it is: httpx resolves dots."""
    connection = HTTPConnection(gateway.base_url.host, gateway.base_url.port or 0)
    with closing(connection):
        connection.request("PUT", f"/v1/products/{segment}/stock", b"{}", dict(gateway.headers))
        answer = connection.getresponse()
        return answer.status, orjson.loads(answer.read())


@pytest.mark.usefixtures("commerce")
def test_dots_within_an_id_are_quoted_on_the_way(gateway: httpx.Client) -> None:
    _, heard = put_stock(gateway, "a..b")

    assert heard["path"] == "/v1/products/a%2E%2Eb/stock"


@pytest.mark.usefixtures("commerce")
@pytest.mark.parametrize("dots", ["..", ".", "%2E%2E", "%2e"])
def test_dots_alone_are_no_id_and_lead_to_no_other_address(gateway: httpx.Client, dots: str) -> None:
    status, problem = put_stock(gateway, dots)

    assert status == 422
    assert problem["type"] == "urn:souk:problem:bad-parameter"


@pytest.mark.usefixtures("commerce")
@pytest.mark.parametrize(
    "path",
    ["/v1/products/a%0Ab/stock", f"/v1/products/{'x' * 129}/stock", "/v1/products/a/stock?seller_id=%00"],
)
def test_an_id_that_none_can_be_is_not_passed_on(gateway: httpx.Client, path: str) -> None:
    answer = gateway.get(path)
    assert (answer.status_code, answer.json()["type"]) == (422, "urn:souk:problem:bad-parameter")


@pytest.mark.usefixtures("commerce")
@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_over_the_limit_is_refused_whether_its_length_is_told_or_not(
    gateway: httpx.Client, chunked: bool
) -> None:
    large = b" " * (LIST_LIMIT + 1)
    answer = gateway.post("/v1/orders", content=iter([large]) if chunked else large)
    assert answer.status_code == 413
    assert answer.json()["type"] == "urn:souk:problem:body-too-large"
    assert gateway.post("/v1/orders", content=large[1:]).status_code == 202


@pytest.mark.usefixtures("commerce")
def test_an_address_that_nobody_has_is_not_passed_on(gateway: httpx.Client) -> None:
    assert gateway.delete("/v1/orders").status_code == 405
    assert gateway.get("/v1/orders/one/secrets").status_code == 404
