"""The pure parts of the pages of people: texts, devices, links in mails, who may use the demo, forms."""

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest
from fastapi import Request

from common.access_policy import NotAllowed
from common.problems import Problem
from serving.commerce.commerce_client import CommerceResponse
from serving.commerce.routes import CommerceDomain
from serving.kit.domain import OpenDomains
from serving.kit.request_body import CONTENT_TYPE, NOT_A_FORM
from serving.kit.stream_slots import StreamSlots
from serving.web.account.demo import DemoAvailability, is_from_this_machine, may_be_offered_demo
from serving.web.account.mailbox import with_links
from serving.web.account.page import read_form, refusal
from serving.web.formatter import device_name
from serving.web.forms import BadField, Form
from serving.web.service_calls import Refusal

SITE = "http://127.0.0.1:8000"
PAGE = {"host": "127.0.0.1:8000", "sec-fetch-site": "same-origin", "content-type": CONTENT_TYPE}


def request(body: bytes = b"", client: str = "127.0.0.1", **headers: str) -> Request:
    """Return a request with the headers of a page's form, changed by `headers` (empty: left out)."""
    given = {**PAGE, **{name.replace("_", "-"): value for name, value in headers.items()}}
    sent = [(name.encode(), value.encode()) for name, value in given.items() if value]
    scope = {"type": "http", "method": "POST", "path": "/", "headers": sent, "client": (client, 1)}

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    return Request({**scope, "query_string": b""}, receive)


def form(body: bytes, **headers: str) -> Form:
    return asyncio.run(read_form(request(body, **headers)))


@pytest.mark.parametrize(
    ("detail", "text"),
    [
        (
            "Try again in 4 s, or ask for a new password with POST /v1/auth/password_resets.",
            "Try again in 4 s, or ask for a new password.",
        ),
        (
            "This refresh token can't be used. Sign in again with POST /v1/auth/sessions.",
            "This refresh token can't be used. Sign in again.",
        ),
        (
            "postal_code: String should have at most 20 characters.",
            "The field “postal code” can't be used like this. String should have at most 20 characters.",
        ),
        (
            "A person may have 20 addresses. Delete one first.",
            "A person may have 20 addresses. Delete one first.",
        ),
    ],
)
def test_a_refusal_is_shown_without_calls_of_the_api(detail: str, text: str) -> None:
    assert refusal(Refusal(422, {"title": "no", "detail": detail})) == text


@pytest.mark.parametrize("problem", [{}, {"detail": None}, {"detail": ""}])
def test_a_refusal_without_a_detail_has_a_text_too(problem: dict[str, Any]) -> None:
    assert refusal(Refusal(422, problem)) == "This did not work. Check the form, and try again."


@pytest.mark.parametrize(
    ("user_agent", "name"),
    [
        ("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox on Linux"),
        (
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
            "Chrome/140.0.0.0 Safari/537.36 Edg/140.0.0.0",
            "Edge on Windows",
        ),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
            "Version/18.0 Mobile/15E148 Safari/604.1",
            "Safari on iPhone",
        ),
        (
            "Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 "
            "Safari/537.36",
            "Chrome on Android",
        ),
        ("curl/8.0", "curl"),
        ("", "Unknown device"),
    ],
)
def test_a_device_has_a_name_that_its_owner_recognises(user_agent: str, name: str) -> None:
    assert device_name(user_agent) == name


def test_only_links_to_pages_of_this_site_are_links() -> None:
    text = f"Go to\n\n{SITE}/verify?token=abc\n\nor to https://evil.example/verify or {SITE}.evil.example/x"

    assert with_links(text, SITE) == [
        ("Go to\n\n", None),
        (f"{SITE}/verify?token=abc", "/verify?token=abc"),
        ("\n\nor to ", None),
        ("https://evil.example/verify", None),
        (" or ", None),
        (f"{SITE}.evil.example/x", None),
    ]


def test_a_request_from_this_machine_comes_from_loopback_to_a_loopback_name() -> None:
    assert is_from_this_machine(request())
    assert is_from_this_machine(request(client="::1", host="localhost:8000"))


@pytest.mark.parametrize(
    "changed",
    [
        {"client": "203.0.113.7"},
        {"host": "shop.example"},
        {"host": "127.0.0.1.evil.example"},
        {"host": ""},
        {"x_forwarded_for": "127.0.0.1"},
        {"x_forwarded_host": "localhost"},
        {"x_real_ip": "127.0.0.1"},
        {"forwarded": "for=127.0.0.1"},
        {"via": "1.1 proxy"},
    ],
)
def test_a_request_through_a_proxy_or_to_another_name_does_not(changed: dict[str, str]) -> None:
    assert not is_from_this_machine(request(**changed))


def test_a_password_is_sent_as_it_was_typed() -> None:
    sent = form(b"email=a%40b.example+&password=+%C3%A9%20&name=")
    assert sent.body("POST", "/v1/auth/registrations") == {"email": "a@b.example", "password": " é "}


@pytest.mark.parametrize(
    "body", [b"a=1&a=2", b"a=%ff", b"\xff=1", b"&".join(b"a%d=1" % n for n in range(40))]
)
def test_a_form_that_is_ambiguous_is_refused(body: bytes) -> None:
    with pytest.raises(BadField):
        form(body)


def test_a_form_that_names_no_origin_or_another_type_is_refused() -> None:
    with pytest.raises(NotAllowed):
        form(b"a=1", sec_fetch_site="")
    with pytest.raises(Problem, check=NOT_A_FORM.matches):
        form(b"a=1", content_type="text/plain")
    with pytest.raises(Problem, check=NOT_A_FORM.matches):
        form(b"a=1", content_type="")


class SlowAccounts:
    """Answers whether there is a demo once a test lets it."""

    def __init__(self) -> None:
        self.asked, self.may_answer = 0, asyncio.Event()

    async def call(self, *_request: Any) -> CommerceResponse:
        self.asked += 1
        await self.may_answer.wait()
        return CommerceResponse(200, {"available": True})


def test_a_late_answer_about_the_demo_is_unknown_until_it_is_there(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("serving.web.account.demo.TIMEOUT_S", 0.01)

    async def offered(is_demo: bool) -> tuple[list[bool | None], int]:
        accounts, demo = SlowAccounts(), DemoAvailability(lambda: is_demo)
        here = request()
        before = [await demo.is_offered(here, accounts) for _ in range(2)]  # type: ignore[arg-type]
        accounts.may_answer.set()
        await asyncio.sleep(0)
        after = await demo.is_offered(here, accounts)  # type: ignore[arg-type]
        return [*before, after], accounts.asked

    assert asyncio.run(offered(is_demo=True)) == ([None, None, True], 1)
    assert asyncio.run(offered(is_demo=False)) == ([False, False, True], 1)


async def no_check(_name: str, _value: object) -> None:
    """Accept any change of a setting."""


@pytest.mark.parametrize(("is_demo", "shown"), [(True, True), (False, False)])
def test_busy_accounts_hide_the_demo_from_nobody(
    monkeypatch: pytest.MonkeyPatch, is_demo: bool, shown: bool
) -> None:
    monkeypatch.setattr("serving.web.account.demo.TIMEOUT_S", 0.01)

    async def offered() -> bool:
        sent = request()
        domains = OpenDomains()
        domains.add(DemoAvailability(lambda: is_demo))
        domains.add(CommerceDomain(SlowAccounts(), no_check, StreamSlots("uploads", 1, 1)))  # type: ignore[arg-type]
        sent.scope["app"] = SimpleNamespace(state=SimpleNamespace(domains=domains))
        return await may_be_offered_demo(sent)

    assert asyncio.run(offered()) is shown
