"""One service asks another: who asks is in the token, and no answer is an error that says whom."""

import asyncio
import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any

import pytest

from common.principal_token import COMMERCE, HEADER, PrincipalTokens
from common.settings import Settings
from producers.kit.http.peers import Peers
from producers.kit.http.problems import ServiceNotReady
from tests.ports import free_offset

SETTINGS = Settings(internal_secret="for tests")  # type: ignore[arg-type]  # pydantic converts it


class Service(HTTPServer):
    """Answers every request with `status` and the `kind` of a problem, and with what it was sent."""

    status = 200
    kind = "unknown-order"

    def __init__(self) -> None:
        service = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.do_POST()

            def do_PUT(self) -> None:
                self.do_POST()

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                seen = {"method": self.command, "path": self.path, "token": self.headers[HEADER]}
                seen["type"] = f"urn:souk:problem:{service.kind}"
                answer = json.dumps(seen | {"body": json.loads(body or "null")}).encode()
                answer = b"" if service.status == 204 else answer
                self.send_response(service.status)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_: object) -> None:
                pass

        super().__init__(("127.0.0.1", 0), Handler)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


@pytest.fixture
def service() -> Iterator[Service]:
    with Service() as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def asked(urls: str, *what: Any, find: bool = False) -> Any:
    async def ask() -> Any:
        peers = Peers(SETTINGS.model_copy(update={"service_urls": {"orders": urls}}), "users")
        return await (peers.find if find else peers.ask)("orders", *what)

    return asyncio.run(ask())


def sent(urls: str) -> int:
    async def send() -> int:
        peers = Peers(SETTINGS.model_copy(update={"service_urls": {"orders": urls}}), "users")
        return (await peers.send("orders", "PUT", "/v1/people/1/sellers/2", {"role": None})).status_code

    return asyncio.run(send())


def test_the_other_service_sees_who_asks(service: Service) -> None:
    answer = asked(service.url, "/v1/orders/exports", {"shopper_ids": ["ana"]})

    assert (answer["method"], answer["path"]) == ("POST", "/v1/orders/exports")
    assert answer["body"] == {"shopper_ids": ["ana"]}
    sender = PrincipalTokens(SETTINGS).verify(answer["token"], COMMERCE)
    assert (sender.subject, sender.roles) == ("platform:users", {"platform"})
    assert asked(service.url, "/v1/alert_subscriptions/1")["method"] == "GET"


def test_what_does_not_exist_is_none_or_an_error(service: Service) -> None:
    service.status = 404

    assert asked(service.url, "/v1/people/1/rights", find=True) is None
    with pytest.raises(ServiceNotReady, match="orders"):
        asked(service.url, "/v1/people/1/rights")


def test_the_next_address_is_asked_if_one_does_not_answer(service: Service) -> None:
    nothing = f"http://127.0.0.1:{8000 + free_offset()}"

    assert asked(f"{nothing},{service.url}", "/v1/orders/exports")["path"] == "/v1/orders/exports"


def test_an_address_without_the_route_does_not_answer(service: Service) -> None:
    service.status, service.kind = 404, "not-found"

    with pytest.raises(ServiceNotReady, match="orders"):
        asked(service.url, "/v1/people/1/rights", find=True)


@pytest.mark.parametrize("status", [204, 404, 409, 422])
def test_a_request_that_is_sent_has_a_result_or_a_refusal(service: Service, status: int) -> None:
    service.status = status

    assert sent(service.url) == status


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (500, "internal"),
        (503, "not-ready"),
        (429, "too-many-mails"),
        (401, "sign-in-required"),
        (404, "not-found"),
        (405, "method-not-allowed"),
    ],
)
def test_a_request_that_is_sent_has_no_answer_yet(service: Service, status: int, kind: str) -> None:
    service.status, service.kind = status, kind

    with pytest.raises(ServiceNotReady, match="orders"):
        sent(service.url)


def test_no_log_has_the_path_of_a_request(service: Service, capsys: pytest.CaptureFixture[str]) -> None:
    service.status = 422
    with pytest.raises(ServiceNotReady):
        asked(service.url, "/v1/people/ana", find=True)
    service.status = 503
    with pytest.raises(ServiceNotReady):
        asked(service.url, "/v1/people/ana", find=True)

    logged = capsys.readouterr().out
    assert logged.count("orders") == 2
    assert "ana" not in logged


@pytest.mark.parametrize("status", [500, 503, 403])
def test_a_service_that_gives_no_answer_is_named(service: Service, status: int) -> None:
    service.status = status

    with pytest.raises(ServiceNotReady, match="orders"):
        asked(service.url, "/v1/orders/exports", {"shopper_ids": []})
