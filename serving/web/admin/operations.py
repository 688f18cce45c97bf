"""`/ops`: the whole platform at this moment. A stream keeps the page up to date."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from typing import Any

from fastapi import APIRouter, Depends, Request
from sse_starlette import EventSourceResponse, ServerSentEvent
from starlette.responses import Response

from common.metrics import LIVE_LISTENERS
from serving.gateway.described_routes import guarded
from serving.gateway.gateway import identity_of
from serving.gateway.live_stream import LiveStream
from serving.kit.domain import opened
from serving.kit.parameters import reject_repeated_parameters
from serving.ops.dependencies import OpsDomain
from serving.ops.overview.service import OverviewService
from serving.web.admin.operations_view import operations_view
from serving.web.admin.page import admin_page
from serving.web.admin.policy import POLICIES
from serving.web.renderer import PageRenderer

REGIONS = (
    "fresh",
    "map",
    "alerts",
    "lag",
    "jobs",
    "letters",
    "audits",
    "training",
    "mails",
    "sources",
    "said",
)
"""The parts of the page that the stream replaces. Each is an element `live-…` with a template of its own."""

READ_EVERY_S = 3.0
PING_S = 15
"""The page connects again if it hears nothing for a few of these intervals."""

router = APIRouter(
    prefix="/ops",
    route_class=guarded(POLICIES),
    include_in_schema=False,
    dependencies=[Depends(reject_repeated_parameters)],
)


@router.get("")
async def operations(request: Request) -> Response:
    """Return the page. Without a script, a link shows it again."""
    pages = opened(request, PageRenderer)
    overview = await _service(request).read()
    return admin_page(request, "operations.html", "ops", **operations_view(overview, pages.formatter))


@router.get("/events")
async def operations_events(request: Request) -> EventSourceResponse:
    """Send each part of the page at once, and again whenever it changes, as HTML in an event of its name.

    The stream ends with an event `ended` when the session or the token ends.
    """
    principal = identity_of(request).principal
    slots = opened(request, OpsDomain).overview_slots
    return _OperationsStream(request, slots.take(principal.subject if principal else ""))


class _OperationsStream(LiveStream):
    """The stream of one page."""

    def __init__(self, request: Request, end: Callable[[], None]) -> None:
        self._pages = opened(request, PageRenderer)
        self._service = _service(request)
        policy = POLICIES["operations_events"]
        super().__init__(request, policy, end, self._events(), ping=PING_S, sep="\n")

    async def _events(self) -> AsyncGenerator[ServerSentEvent]:
        sent: dict[str, str] = {}
        LIVE_LISTENERS.labels("operations").inc()
        try:
            while True:
                shown: dict[str, Any] = operations_view(await self._service.read(), self._pages.formatter)
                for region in REGIONS:
                    html = self._pages.render(f"admin/_operations_{region}.html", **shown).decode()
                    if html != sent.get(region):
                        sent[region] = html
                        yield ServerSentEvent(event=region, data=html, sep="\n")
                await asyncio.sleep(READ_EVERY_S)
                if not await self.has_access():
                    break
        finally:
            LIVE_LISTENERS.labels("operations").dec()
        yield ServerSentEvent(event="ended", data="", sep="\n")


def _service(request: Request) -> OverviewService:
    return opened(request, OpsDomain).overview
