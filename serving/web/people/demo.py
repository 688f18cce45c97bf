"""Says whether a visitor may look around as somebody else: in the demo, on the machine on which it runs."""

import asyncio
import time
from collections.abc import Callable

from fastapi import Request

from common.errors import PartUnavailable
from common.host_check import host_name, is_loopback
from serving.commerce.commerce_client import GATEWAY_ITSELF, CommerceClient
from serving.gateway.gateway import identity_of

CACHED_S = 2.0
"""How long an answer is kept. The users service checks again before it opens a session."""

TIMEOUT_S = 0.5
"""After this time, a page is shown without the demo's buttons."""

_PROXY_HEADERS = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip", "via")


class DemoAvailability:
    """Asks the users service whether the demo is available. If it does not answer, the demo is not."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._known: tuple[float, bool] = (0.0, False)

    async def is_offered(self, request: Request, commerce: CommerceClient) -> bool:
        """Return whether the demo is available, and the request comes from this machine."""
        if not is_from_this_machine(request):
            return False
        kept_until, available = self._known
        if kept_until <= self._now():
            available = await _ask(commerce)
            self._known = (self._now() + CACHED_S, available)
        return available


async def is_demo_offered(request: Request) -> bool:
    """Return whether the sender of a request may use the demo."""
    demo: DemoAvailability = request.app.state.demo
    commerce: CommerceClient = request.app.state.commerce
    return await demo.is_offered(request, commerce)


async def may_read_mails(request: Request) -> bool:
    """Return whether the sender of a request may read the local mailbox. Mails contain links that work."""
    principal = identity_of(request).principal
    is_operator = principal is not None and bool(principal.roles & {"admin", "platform"})
    return is_operator or await is_demo_offered(request)


def is_from_this_machine(request: Request) -> bool:
    """Return whether a program on this machine sent a request to a loopback name.

    A proxy on this machine forwards requests of others, so a request with a header of a proxy does not count.
    """
    address = request.client.host if request.client else ""
    is_local = is_loopback(address) and is_loopback(host_name(request.headers.get("host", "")))
    return is_local and not any(name in request.headers for name in _PROXY_HEADERS)


async def _ask(commerce: CommerceClient) -> bool:
    try:
        answer = await asyncio.wait_for(commerce.call(GATEWAY_ITSELF, "GET", "/v1/auth/demo"), TIMEOUT_S)
    except (PartUnavailable, TimeoutError):
        return False
    return answer.is_success and answer.content.get("available") is True
