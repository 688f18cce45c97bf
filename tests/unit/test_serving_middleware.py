"""The middleware applies to every response, also after an unexpected error and to HEAD of a stream."""

import asyncio

import httpx
import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute
from pydantic import SecretStr
from starlette.types import ASGIApp, Receive, Scope, Send
from structlog.testing import capture_logs

from common.correlation import trace_id_of
from common.principal import guest
from common.principal_token import PrincipalTokens
from common.problems import install_error_handlers, problem_response
from common.settings import Settings
from common.stopping import Stopping
from serving.gateway.middleware import HttpMiddleware
from serving.kit.problems import ClickHouseUnavailable
from tests.principals import bearer
from tests.recorded_spans import record_all_spans

SETTINGS = Settings()
TRACEPARENT = "00-0af7651916cd43dd8448eb2100000000-b7ad6b7169203331-01"
"""Of a trace that is recorded at every sampling."""


async def broken(_scope: Scope, _receive: Receive, _send: Send) -> None:
    raise RuntimeError("nobody foresaw this")


def problem(status: int) -> ASGIApp:
    async def app(_scope: Scope, _receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": status, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    return app


async def endless(_scope: Scope, _receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    for _ in range(3):
        await send({"type": "http.response.body", "body": b"more", "more_body": True})


async def echo_trace(scope: Scope, _receive: Receive, send: Send) -> None:
    body = b" ".join(value for name, value in scope["headers"] if name == b"traceparent")
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": body})


async def send_to(app: ASGIApp, method: str, headers: dict[str, str], path: str = "/") -> httpx.Response:
    tokens = PrincipalTokens(SETTINGS)
    transport = httpx.ASGITransport(HttpMiddleware(app, ["localhost"], problem_response, Stopping(), tokens))
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        return await client.request(method, path, headers=headers)


def ask(app: ASGIApp, method: str = "GET", **headers: str) -> httpx.Response:
    return asyncio.run(send_to(app, method, headers))


def test_a_bug_is_a_problem_with_every_header() -> None:
    answer = ask(broken)
    assert (answer.status_code, answer.headers["content-type"]) == (500, "application/problem+json")
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert "nobody foresaw" not in answer.text


def test_the_line_about_a_request_that_failed_says_why() -> None:
    app = FastAPI()
    install_error_handlers(app, problem_response)

    @app.get("/")
    async def figures() -> None:
        raise ClickHouseUnavailable("ClickHouse is overloaded.")

    with capture_logs() as lines:
        assert ask(app).status_code == 503

    (line,) = lines
    assert (line["status"], line["problem"], line["reason"]) == (
        503,
        "clickhouse-unavailable",
        "ClickHouse is overloaded.",
    )


@pytest.mark.parametrize(
    ("app", "status", "is_error"),
    [(broken, 500, True), (echo_trace, 200, False), (problem(404), 404, False), (problem(503), 503, True)],
)
def test_the_span_of_a_request_has_its_status_and_is_an_error_from_500_on(
    monkeypatch: pytest.MonkeyPatch, app: ASGIApp, status: int, is_error: bool
) -> None:
    recorded = record_all_spans(monkeypatch)
    assert ask(app).status_code == status

    (span,) = recorded().values()
    assert span.attributes["http.response.status_code"] == status
    assert ("error" in span.attributes) is (not span.status.is_ok) is is_error


def test_no_line_about_a_bug_has_the_path() -> None:
    async def broken_route(scope: Scope, _receive: Receive, _send: Send) -> None:
        scope["route"] = APIRoute("/people/{name}", lambda: None)
        raise RuntimeError("nobody foresaw this")

    with capture_logs() as lines:
        assert asyncio.run(send_to(broken_route, "GET", {}, "/people/Ana-Souza")).status_code == 500

    assert [line["route"] for line in lines] == ["/people/{name}"] * 2
    assert not [value for line in lines for value in line.values() if "Ana" in str(value)]


def test_the_head_of_a_stream_ends_at_once() -> None:
    answer = ask(endless, "HEAD")
    assert (answer.status_code, answer.content) == (200, b"")


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost", 500),
        ("LOCALHOST:80", 500),
        ("evil.example", 400),
        ("localhost.evil.example", 400),
        ("127.0.0.1:8000@evil.com", 400),
        ("localhost:8000@evil.com", 400),
        ("evil.com@localhost:8000", 400),
        ("localhost:", 400),
        ("localhost:80:80", 400),
        ("localhost:80x", 400),
        ("localhost /", 400),
        ("[::1]:8000", 400),
        ("", 400),
    ],
)
def test_only_known_hosts_are_answered(host: str, status: int) -> None:
    assert ask(broken, host=host).status_code == status


def test_a_process_of_the_platform_continues_its_trace() -> None:
    assert ask(echo_trace, traceparent=TRACEPARENT, **bearer(SETTINGS)).text == TRACEPARENT


@pytest.mark.parametrize(
    "authorization",
    [
        {},
        {"Authorization": "Basic c291azpzb3Vr"},
        bearer(SETTINGS, guest("someone")),
        bearer(SETTINGS.model_copy(update={"internal_secret": SecretStr("another platform's")})),
    ],
)
def test_an_outsider_does_not_choose_the_trace(authorization: dict[str, str]) -> None:
    answer = ask(echo_trace, traceparent=TRACEPARENT, **authorization)
    assert trace_id_of(answer.text) not in ("", trace_id_of(TRACEPARENT))


def test_an_outsiders_correlation_id_comes_back_and_does_not_choose_the_trace() -> None:
    chosen = trace_id_of(TRACEPARENT)
    answer = ask(echo_trace, **{"X-Correlation-Id": chosen})
    assert answer.headers["x-correlation-id"] == chosen
    assert trace_id_of(answer.text) not in ("", chosen)
