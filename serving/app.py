"""Builds the application: the only place that knows every domain, and hands each what it needs of others."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

from fastapi import FastAPI

from clickhouse.query_files import load_queries
from common.clock import Clock, system_clock
from common.configuration.definitions import MAINTENANCE_BANNER
from common.guarded_route import check_policies
from common.principal_token import PrincipalTokens
from common.problems import install_error_handlers
from common.settings import LOOPBACK, Settings
from common.stopping import Stopping, drained_before_stop
from schemas.services import SERVICES
from serving.admission import ADMISSION, Admission
from serving.analytics.dashboards import figures_version
from serving.analytics.domain import ANALYTICS
from serving.analytics.endpoints import LIVE_TABLES
from serving.commerce.commerce_client import CommerceClient
from serving.commerce.routes import COMMERCE
from serving.event_collector.endpoints import INTAKE
from serving.gateway.described_routes import add_security_schemes
from serving.gateway.domain import GATEWAY
from serving.gateway.middleware import HttpMiddleware
from serving.kit.domain import OpenDomains
from serving.kit.stores import open_stores
from serving.ops.domain import OPS
from serving.products.endpoints import PRODUCTS
from serving.recommendations.domain import RECOMMENDATIONS
from serving.web import pages
from serving.web.language import SOURCE, LanguageMiddleware, language_of_locale

DESCRIPTION = """Sales figures of a marketplace and its sellers, exact to the cent and fresh to the second.

* Money is an integer in minor units (cents) beside its currency.
* `from` is inclusive, `to` is exclusive; days, weeks and months are those of the shop's time zone.
* Sales include orders that were cancelled or unavailable later; `cancelled` has their number and amounts.
* A period that is not over is compared with the same part of the previous one; `compared` has that part.
* Send `Accept: text/csv` to get a list as CSV. Its header `Link` has the next page, `Souk-As-Of` has `as_of`.
  There, money is a decimal of the currency in the column `currency`, and no column's name ends in `_minor`.
  Texts that a spreadsheet would run as a formula begin with an apostrophe.
* Metrics, their rows and the results of SQL are Parquet with `Accept: application/vnd.apache.parquet` or
  `format=parquet`. There, money is a decimal of the currency, and times are UTC.
* Responses with figures or products have an `ETag`. With `If-None-Match`, an unchanged response is a 304.
* `as_of` is the event time up to which a figure is complete.
* While ClickHouse does not answer, you get the last figures of the same request: `stale` is true (CSV: the
  header `Souk-Stale`), and `as_of` says up to when they are complete.
* Every error is `application/problem+json` (RFC 9457) and says what to do next."""

TAGS = [
    {"name": "sellers", "description": "What one seller sold."},
    {"name": "metrics", "description": "The catalogue of metrics, and their values, splits and rows."},
    {"name": "sql", "description": "A seller's own queries, over views of what belongs to that seller."},
    {"name": "marketplace", "description": "What all sellers sold."},
    {"name": "products", "description": "What is on offer, and what is popular right now."},
    {"name": "recommendations", "description": "Products to show a shopper next."},
    {"name": "experiments", "description": "Administration: experiments, trainings, the log of answers."},
    *({"name": tag, "description": text} for room in SERVICES.values() for tag, text in room.tags.items()),
    {"name": "events", "description": "Browsing events of shoppers."},
    {"name": "operations", "description": "Health and readiness."},
]


DOMAINS = (RECOMMENDATIONS, ANALYTICS, PRODUCTS, GATEWAY, COMMERCE, INTAKE, OPS)
"""The domains in the order in which a request tries their routes. A seller's uplift comes before the metrics
of analytics, and popular products before the products, because these have a parameter in the same place."""


def create_app(settings: Settings, clock: Clock = system_clock) -> FastAPI:
    """Return the application. Its domains open when it starts, and close when it stops or can't start.

    Raises:
        MissingPolicy: a route has no policy.
        UserError: the settings have no `internal_secret`.
    """
    stopping, tokens, domains = Stopping(), PrincipalTokens(settings), OpenDomains()
    default_language = language_of_locale(settings.shop_locale) or SOURCE

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[dict[str, Any]]:
        async with AsyncExitStack() as stack:
            # Each is closed before what it was given: the overview first, the clients of the stores last.
            await stack.enter_async_context(drained_before_stop(stopping, settings.drain_s))
            queries = load_queries()
            stores = await domains.enter(
                stack, open_stores(settings, queries, figures_version(settings, queries))
            )
            client = await stack.enter_async_context(CommerceClient(settings, tokens))
            state, verify = client.auth_state, client.verify_api_key
            gateway = await domains.enter(
                stack, GATEWAY.open(settings, tokens, stopping, stores.redis, state, verify)
            )
            products = await domains.enter(stack, PRODUCTS.open(settings, stores))
            analytics = await domains.enter(stack, ANALYTICS.open(settings, stores, clock))
            intake = await domains.enter(stack, INTAKE.open(settings, clock))
            recommendations = await domains.enter(
                stack,
                RECOMMENDATIONS.open(
                    settings,
                    stores,
                    analytics.services.context,
                    gateway.values,
                    products,
                    intake.producer,
                    client.seller_suspensions,
                    client.followed_sellers,
                ),
            )
            await domains.enter(stack, COMMERCE.open(client, recommendations.check_setting))
            newest, ask, routes = recommendations.trainings.newest, client.ask, client.routes
            await domains.enter(
                stack, OPS.open(settings, stores, LIVE_TABLES, ask, routes, newest, stopping, clock)
            )
            app.state.guard = gateway.guard
            renderer.show_notice(lambda: gateway.values.get(MAINTENANCE_BANNER))
            admission = Admission(app, gateway.shedder, gateway.values, tokens, stopping, default_language)
            yield {ADMISSION: admission}

    app = FastAPI(
        title="Souk",
        version="1",
        description=DESCRIPTION,
        openapi_tags=TAGS,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        servers=[{"url": settings.public}],
    )
    app.state.domains = domains
    add_security_schemes(app)
    for domain in DOMAINS:
        for router in domain.routers:
            app.include_router(router)
    renderer = pages.mount(app, settings, domains)
    check_policies(app, pages.STATIC_FILES)
    install_error_handlers(app, pages.render_problem)
    own = (urlsplit(url).hostname or LOOPBACK for url in (settings.serving, settings.public))
    app.add_middleware(HttpMiddleware, {LOOPBACK, "localhost", *own}, pages.render_problem, stopping, tokens)
    app.add_middleware(LanguageMiddleware, default=default_language)
    return app
