"""Says whether a visitor may look around as somebody else: in the demo, on the machine on which it runs."""

import asyncio
import time
from collections.abc import Callable

from fastapi import Request

from common.errors import PartUnavailable
from common.host_check import host_name, is_loopback
from serving.commerce.commerce_client import GATEWAY_ITSELF, CommerceClient
from serving.commerce.routes import CommerceDomain
from serving.gateway.gateway import identity_of
from serving.kit.domain import opened

CACHED_S = 2.0
"""How long an answer is kept. The users service checks again before it opens a session."""

TIMEOUT_S = 0.5
"""After this time, a page in demo mode offers the demo without having been told that it is available."""

CLICK_TIMEOUT_S = 10.0
"""How long somebody who has clicked waits for the users service."""

_PROXY_HEADERS = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip", "via")


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
