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
from serving.admission import ADMISSION, Admission
from serving.analytics.dashboards import figures_version
from serving.analytics.domain import ANALYTICS
from serving.analytics.endpoints import LIVE_TABLES
from serving.commerce.commerce_client import CommerceClient
from serving.commerce.domain import COMMERCE
from serving.event_collector.domain import INTAKE
from serving.gateway.described_routes import add_security_schemes
from serving.gateway.domain import GATEWAY
from serving.gateway.middleware import HttpMiddleware
from serving.kit.domain import OpenDomains
from serving.kit.openapi import DESCRIPTION, TAGS
from serving.kit.stores import open_stores
from serving.ops.domain import OPS
from serving.products.domain import PRODUCTS
from serving.recommendations.domain import RECOMMENDATIONS
from serving.web import pages
from serving.web.language import SOURCE, LanguageMiddleware, language_of_locale

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
            products = await domains.enter(stack, PRODUCTS.open(stores, settings.shop_currency))
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
