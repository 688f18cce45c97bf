"""Puts the API and the pages together: the only place that builds their clients."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

from fastapi import FastAPI

from common.clock import Clock, system_clock
from common.problems import answer_errors
from common.settings import LOOPBACK, Settings
from serving.analytics import endpoints as analytics
from serving.analytics.progress import Progress
from serving.analytics.service import Analytics
from serving.analytics.service.shop import Shop
from serving.clickhouse import ClickHouse, load_queries
from serving.guard import Guard
from serving.intake import endpoints as intake
from serving.intake.service import Intake
from serving.ops import endpoints as ops
from serving.ops.service import Parts
from serving.recommendations import endpoints as recommendations
from serving.recommendations.service import RecommendationService
from serving.redis_client import open_redis
from serving.shop import endpoints as catalogue
from serving.shop import gateway
from serving.shop.catalogue import Catalogue
from serving.shop.commerce import Commerce
from serving.web import pages

DESCRIPTION = """Sales figures of a marketplace and its sellers, exact to the cent and fresh to the second.

* Money is an integer in minor units (cents) beside its currency.
* `from` is inclusive, `to` is exclusive; days, weeks and months are those of the shop's time zone.
* Sales include what was cancelled later; `cancelled` says how much (`unavailable` orders are cancelled too).
* An answer has an `ETag`; ask with `If-None-Match` to hear only what changed.
* `as_of` says up to which event time a figure is complete.
* Every error is `application/problem+json` (RFC 9457) and says what to do next."""

TAGS = [
    {"name": "sellers", "description": "What one seller sold."},
    {"name": "marketplace", "description": "What all sellers sold."},
    {"name": "products", "description": "What there is to buy, and what shoppers want right now."},
    {"name": "recommendations", "description": "What a shopper may want next."},
    {"name": "orders", "description": "What a shopper buys."},
    {"name": "stock", "description": "What sellers have."},
    {"name": "events", "description": "What shoppers do."},
    {"name": "operations", "description": "Is it up?"},
]


def create_app(settings: Settings, clock: Clock = system_clock) -> FastAPI:
    """The application; clients open when it starts and close when it stops."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        redis = open_redis(settings)
        async with ClickHouse(settings, load_queries()) as clickhouse, Commerce(settings) as commerce:
            progress = Progress(clickhouse)
            shop = Shop(settings.timezone, settings.shop_currency, clickhouse, redis, progress, clock)
            parts = Parts(settings, clickhouse, redis)
            app.state.analytics = Analytics.of(shop)
            app.state.catalogue = Catalogue(clickhouse, redis, settings.shop_currency)
            app.state.commerce = commerce
            app.state.parts = parts
            app.state.intake = Intake(settings, clock)
            app.state.recommendations = RecommendationService(redis)
            yield
            await app.state.intake.aclose()
            await parts.aclose()
            await progress.aclose()
            await redis.aclose()

    app = FastAPI(
        title="Souk",
        version="1",
        description=DESCRIPTION,
        openapi_tags=TAGS,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        servers=[{"url": settings.serving}],
    )
    app.state.settings = settings
    app.include_router(analytics.router)
    app.include_router(catalogue.router)
    app.include_router(gateway.router)
    app.include_router(intake.router)
    app.include_router(recommendations.router)
    app.include_router(ops.router)
    pages.mount(app, settings)
    answer_errors(app, pages.show_problem)
    app.add_middleware(Guard, hosts=_hosts(settings), show=pages.show_problem)
    return app


def _hosts(settings: Settings) -> list[str]:
    own = urlsplit(settings.serving).hostname
    return sorted({LOOPBACK, "localhost", own or LOOPBACK})
