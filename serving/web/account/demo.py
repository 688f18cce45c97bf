"""Looking around as somebody else: in the demo, on the machine on which it runs.

One click opens a real session of a demo person: a shopper, a seller, an analyst, an administrator.
"""

import asyncio
import time
from collections.abc import Callable

from fastapi import Request
from starlette.responses import Response

from common.errors import PartUnavailable
from common.host_check import host_name, is_loopback
from common.problems import Problem, problem
from common.request_path import in_path
from serving.analytics.dashboards import Analytics
from serving.analytics.dependencies import AnalyticsDep
from serving.commerce.commerce_client import GATEWAY_ITSELF, CommerceClient
from serving.commerce.routes import CommerceDep, CommerceDomain
from serving.gateway.gateway import identity_of
from serving.kit.domain import opened
from serving.web.account.page import (
    SIGN_IN,
    enter_demo,
    go_to,
    read_form,
)
from serving.web.account.session import end_current_session
from serving.web.formatter import device_name
from serving.web.policy import page_router

router = page_router(SIGN_IN)

CACHED_S = 2.0
"""How long an answer is kept. The users service checks again before it opens a session."""

TIMEOUT_S = 0.5
"""After this time, a page in demo mode offers the demo without having been told that it is available."""

CLICK_TIMEOUT_S = 10.0
"""How long somebody who has clicked waits for the users service."""

_PROXY_HEADERS = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip", "via")


LOOK_AS_UNAVAILABLE = problem(
    403,
    "look-as-unavailable",
    "This is no demo",
    "Sessions of the demo can be opened only on the machine on which it runs, at its loopback address, and "
    "only as long as nobody has registered. Sign in instead.",
)
LOOK_AS_REFUSED = problem(
    422,
    "bad-body",
    "This body can't be used",
    "Choose a shopper, a seller, an analyst or an administrator on the start page.",
)
NO_SELLER_YET = problem(
    409,
    "no-seller",
    "There is no seller yet",
    "No seller has registered or sold anything yet. `./souk demo` starts a simulated marketplace.",
)


class DemoAvailability:
    """Asks the users service whether the demo is available. `is_demo` returns whether demo mode is on."""

    def __init__(self, is_demo: Callable[[], bool], now: Callable[[], float] = time.monotonic) -> None:
        self._is_demo, self._now = is_demo, now
        self._known: tuple[float, bool | None] = (0.0, None)
        self._asking: asyncio.Task[None] | None = None

    async def is_offered(
        self, request: Request, commerce: CommerceClient, timeout_s: float = TIMEOUT_S
    ) -> bool | None:
        """Return whether the demo is available, and the request comes from this machine.

        None means that demo mode is on, and the users service has not answered within `timeout_s`. Its answer
        counts for the next request, however late it comes.
        """
        if not is_from_this_machine(request):
            return False
        kept_until, available = self._known
        if kept_until > self._now():
            return available
        if self._asking is None or self._asking.done():
            self._asking = asyncio.create_task(self._ask(commerce))
        try:
            await asyncio.wait_for(asyncio.shield(self._asking), timeout_s)
        except TimeoutError:
            return self._unknown()
        available = self._known[1]
        return self._unknown() if available is None else available

    def _unknown(self) -> bool | None:
        return None if self._is_demo() else False

    async def _ask(self, commerce: CommerceClient) -> None:
        try:
            answer = await commerce.call(GATEWAY_ITSELF, "GET", "/v1/auth/demo")
        except PartUnavailable:
            self._known = (0.0, None)
            return
        available = answer.is_success and answer.content.get("available") is True
        self._known = (self._now() + CACHED_S, available)


async def is_demo_offered(request: Request, timeout_s: float = TIMEOUT_S) -> bool | None:
    """Return whether the sender of a request may use the demo; None if that is not known yet."""
    demo = opened(request, DemoAvailability)
    commerce = opened(request, CommerceDomain).client
    return await demo.is_offered(request, commerce, timeout_s)


async def may_be_offered_demo(request: Request) -> bool:
    """Return whether a page shows how to look around as somebody else.

    A busy users service hides it from nobody: the service decides when somebody clicks.
    """
    return await is_demo_offered(request) is not False


async def may_read_mails(request: Request) -> bool:
    """Return whether the sender of a request may read the local mailbox. Mails contain links that work."""
    principal = identity_of(request).principal
    is_operator = principal is not None and bool(principal.roles & {"admin", "platform"})
    return is_operator or await is_demo_offered(request) is True


def is_from_this_machine(request: Request) -> bool:
    """Return whether a program on this machine sent a request to a loopback name.

    A proxy on this machine forwards requests of others, so a request with a header of a proxy does not count.
    """
    address = request.client.host if request.client else ""
    is_local = is_loopback(address) and is_loopback(host_name(request.headers.get("host", "")))
    return is_local and not any(name in request.headers for name in _PROXY_HEADERS)


SELLER, SHOPPER = "seller", "shopper"
START_PAGES = {SHOPPER: "/shop", "analyst": "/", "admin": "/admin"}
"""The roles of the demo besides `seller`, and the page that each opens with."""


@router.post("/look-as")
async def look_as(request: Request, commerce: CommerceDep, service: AnalyticsDep) -> Response:
    """Open a session in a role of the demo, and go to the page that this role opens with.

    Without a seller, it is the best-selling one. The shopper is the registered one with the most orders
    lately. The simulation or the replay made that one: while the demo is on, no real person is registered. A
    guest may be somebody's browser.
    """
    if not await is_demo_offered(request, CLICK_TIMEOUT_S):
        raise LOOK_AS_UNAVAILABLE()
    form = await read_form(request)
    role, seller_id = form.text("role"), form.text("seller_id")
    if role != SELLER and role not in START_PAGES:
        raise LOOK_AS_REFUSED()
    body = {"role": role, "device": device_name(request.headers.get("user-agent", ""))}
    if role == SELLER:
        body["seller_id"] = seller_id = seller_id or await _best_seller(service)
    elif role == SHOPPER and (shopper_id := await _busiest_shopper(service)):
        body["shopper_id"] = shopper_id
    answer = await commerce.call(GATEWAY_ITSELF, "POST", "/v1/auth/demo_sessions", body)
    if not answer.is_success:
        raise (LOOK_AS_UNAVAILABLE if answer.status == 409 else LOOK_AS_REFUSED)()
    if identity_of(request).signed_in is not None:
        await end_current_session(request)
    response = go_to(f"/sell/{in_path(seller_id)}" if role == SELLER else START_PAGES[role])
    return enter_demo(request, response, answer.content)


async def _best_seller(service: Analytics) -> str:
    found = await service.rankings.find_sellers("", 1)
    if not found["sellers"]:
        raise NO_SELLER_YET()
    return found["sellers"][0]["seller_id"]


async def _busiest_shopper(service: Analytics) -> str | None:
    """Return a shopper with recent orders; None if there is none, or the figures are not available."""
    try:
        return await service.rankings.busiest_shopper()
    except (Problem, PartUnavailable):
        return None
