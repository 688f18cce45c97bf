"""`/sell/{seller_id}/live`: the shop at this moment. A stream keeps the page up to date."""

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import Any

from fastapi import APIRouter, Depends, Request
from sse_starlette import EventSourceResponse, ServerSentEvent
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from clickhouse.metric_catalogue.definition import read_catalogue
from serving.analytics.parameters import AnalyticsDep, DashboardsDep, SellerId
from serving.analytics.presenters.sales import change
from serving.analytics.service import Analytics
from serving.analytics.service.live_shop import METRICS, LiveShop, LiveShopService, TodaysSums
from serving.gateway.described_routes import guarded
from serving.gateway.gateway import Gateway, identity_of
from serving.http_caching import PRIVATE_NO_STORE
from serving.parameters import reject_repeated_parameters
from serving.stream_slots import StreamSlots
from serving.web.formatter import Formatter
from serving.web.policy import POLICIES
from serving.web.renderer import PageRenderer
from serving.web.seller.choices import UNREGISTERED
from serving.web.seller.metrics import Figure, figure_of
from serving.web.seller_admin.policy import may_manage

REGIONS = ("fresh", "figures", "orders", "visitors", "parcels", "said")
"""The parts of the page that the stream replaces. Each is an element `live-…` with a template of its own."""

PING_S = 15
"""The page connects again if it hears nothing for a few of these intervals."""

router = APIRouter(
    route_class=guarded(POLICIES), include_in_schema=False, dependencies=[Depends(reject_repeated_parameters)]
)


@router.get("/sell/{seller_id}/live")
async def seller_live(
    request: Request, analytics: AnalyticsDep, dashboards: DashboardsDep, seller_id: SellerId
) -> Response:
    """Return the page. Without a script, a link shows it again."""
    pages: PageRenderer = request.app.state.pages
    shop = await LiveShopService(analytics).read(seller_id)
    page = pages(
        "seller_live.html",
        seller=await dashboards.seller(seller_id) or UNREGISTERED,
        may_manage=may_manage(identity_of(request).principal, seller_id),
        regions=REGIONS,
        **_shown(seller_id, shop, pages.formatter),
    )
    page.headers["Cache-Control"] = PRIVATE_NO_STORE
    return page


@router.get("/sell/{seller_id}/live/events")
async def seller_live_events(
    request: Request, analytics: AnalyticsDep, seller_id: SellerId
) -> EventSourceResponse:
    """Send each part of the page at once, and again whenever it changes, as HTML in an event of its name.

    A reader that connects again gets all parts, so it misses nothing. The stream ends with an event `ended`
    when the session or the token ends.
    """
    await analytics.context.require_seller(seller_id, [])
    slots: StreamSlots = request.app.state.live_slots
    return _LiveStream(request, analytics, seller_id, slots.take(seller_id))


class _LiveStream(EventSourceResponse):
    """The stream of one page. `end` is called when the response has ended."""

    def __init__(
        self, request: Request, analytics: Analytics, seller_id: str, end: Callable[[], None]
    ) -> None:
        self._request = request
        self._service = LiveShopService(analytics)
        self._seller_id = seller_id
        self._end = end
        super().__init__(self._events(), ping=PING_S, sep="\n", headers={"Cache-Control": "no-store"})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._end()

    async def _events(self) -> AsyncGenerator[ServerSentEvent]:
        sent: dict[str, str] = {}
        pages: PageRenderer = self._request.app.state.pages
        async with aclosing(self._service.follow(self._seller_id, self._has_access)) as shops:
            async for shop in shops:
                shown = _shown(self._seller_id, shop, pages.formatter)
                for region in REGIONS:
                    html = pages.render(f"_live_{region}.html", **shown).decode()
                    if html != sent.get(region):
                        sent[region] = html
                        yield ServerSentEvent(event=region, data=html, sep="\n")
        yield ServerSentEvent(event="ended", data="", sep="\n")

    async def _has_access(self) -> bool:
        guard: Gateway = self._request.app.state.guard
        return await guard.still_allows(self._request, POLICIES["seller_live_events"])


def _shown(seller_id: str, shop: LiveShop, formatter: Formatter) -> dict[str, Any]:
    """Return what the templates of the page and of its parts need."""
    return {
        "seller_id": seller_id,
        "shop": shop,
        "figures": figures_of_today(shop.sums, formatter) if shop.sums else None,
    }


def figures_of_today(sums: TodaysSums, formatter: Formatter) -> list[tuple[str, str, Figure]]:
    """Return the name, the title and the figure of each sum, with that of yesterday up to the same time."""
    figures = []
    for name in METRICS:
        metric = read_catalogue()[name]
        value, before = sums.values[name], sums.yesterday[name]
        figure = figure_of(metric, value, before, change(value, before), formatter)
        figures.append((name, metric.title, figure))
    return figures
