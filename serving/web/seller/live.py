"""`/sell/{seller_id}/live`: the shop at this moment. A stream keeps the page up to date."""

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import Any

from fastapi import Request
from sse_starlette import EventSourceResponse, ServerSentEvent
from starlette.responses import Response

from clickhouse.metric_catalogue.definition import read_catalogue
from serving.analytics.dashboards import Analytics
from serving.analytics.dependencies import AnalyticsDep, AnalyticsDomain, DashboardsDep
from serving.analytics.live_shop import METRICS, LiveShop, LiveShopService, TodaysSums
from serving.analytics.sales import change
from serving.gateway.gateway import identity_of
from serving.gateway.live_stream import LiveStream
from serving.kit.domain import opened
from serving.kit.http_caching import PRIVATE_NO_STORE
from serving.kit.parameters import SellerId
from serving.web.formatter import Formatter
from serving.web.policy import OF_SELLER, may_manage, page_router
from serving.web.renderer import PageRenderer
from serving.web.seller.choices import UNREGISTERED, handed_on
from serving.web.seller.metrics import Figure, figure_of

REGIONS = ("fresh", "figures", "orders", "visitors", "parcels", "said")
"""The parts of the page that the stream replaces. Each is an element `live-…` with a template of its own."""

PING_S = 15
"""The page connects again if it hears nothing for a few of these intervals."""

router = page_router(OF_SELLER)


@router.get("/sell/{seller_id}/live")
async def seller_live(
    request: Request, analytics: AnalyticsDep, dashboards: DashboardsDep, seller_id: SellerId
) -> Response:
    """Return the page. Without a script, a link shows it again."""
    pages = opened(request, PageRenderer)
    shop = await LiveShopService(analytics).read(seller_id)
    page = pages(
        "seller/live.html",
        seller=await dashboards.seller(seller_id) or UNREGISTERED,
        tabs=handed_on(request),
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
    slots = opened(request, AnalyticsDomain).live_slots
    return _LiveShopStream(request, analytics, seller_id, slots.take(seller_id))


class _LiveShopStream(LiveStream):
    """The stream of one page."""

    def __init__(
        self, request: Request, analytics: Analytics, seller_id: str, end: Callable[[], None]
    ) -> None:
        self._pages = opened(request, PageRenderer)
        self._service = LiveShopService(analytics)
        self._seller_id = seller_id
        super().__init__(request, OF_SELLER, end, self._events(), ping=PING_S, sep="\n")

    async def _events(self) -> AsyncGenerator[ServerSentEvent]:
        sent: dict[str, str] = {}
        async with aclosing(self._service.follow(self._seller_id, self.has_access)) as shops:
            async for shop in shops:
                shown = _shown(self._seller_id, shop, self._pages.formatter)
                for region in REGIONS:
                    html = self._pages.render(f"seller/_live_{region}.html", **shown).decode()
                    if html != sent.get(region):
                        sent[region] = html
                        yield ServerSentEvent(event=region, data=html, sep="\n")
        if not self.moves:
            yield ServerSentEvent(event="ended", data="", sep="\n")


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
