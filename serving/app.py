"""Builds the application: the only place that creates the clients of the API and the pages."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from random import Random
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
from serving.analytics import customer_endpoints as customers
from serving.analytics import endpoints as analytics
from serving.analytics import export_endpoints as exports
from serving.analytics import live_endpoints as live_metrics
from serving.analytics import marketplace_metric_endpoints as marketplace_metrics
from serving.analytics import metric_endpoints as metrics
from serving.analytics import product_endpoints
from serving.analytics import seller_list_endpoints as seller_lists
from serving.analytics import signal_endpoints as signals
from serving.analytics import sql_endpoints as sql
from serving.analytics.service import Analytics
from serving.analytics.service.context import AnalyticsContext
from serving.analytics.service.dashboards import Dashboards, figures_version
from serving.analytics.service.seller_sql import SellerSql
from serving.analytics.watermarks import WatermarkCache
from serving.audits import endpoints as audits
from serving.audits.service import AuditsService
from serving.cache.last_answers import LastAnswers
from serving.cache.response_cache import ResponseCache
from serving.cache.watcher import CacheWatcher
from serving.catalogue import endpoints as products
from serving.catalogue.service import Catalogue
from serving.clickhouse import ClickHouseQueries
from serving.commerce.commerce_client import CommerceClient
from serving.commerce.routes import commerce_router
from serving.experiments import endpoints as experiments
from serving.experiments.service import ExperimentsService
from serving.experiments.uplift import UpliftService
from serving.gateway import sessions
from serving.gateway.access_tokens import AccessTokens
from serving.gateway.api_keys import ApiKeys
from serving.gateway.auth_state import AuthState
from serving.gateway.cookies import GuestSessions
from serving.gateway.described_routes import add_security_schemes
from serving.gateway.gateway import Gateway
from serving.gateway.identity import Identifier
from serving.gateway.live_settings import LiveSettings
from serving.gateway.load_shedding import LoadShedder
from serving.gateway.rate_limits import RateLimits, shared_counts
from serving.gateway.time_limits import TimeLimits
from serving.intake import endpoints as intake
from serving.intake.service import EventIntake
from serving.live_versions import LiveVersions
from serving.middleware import HttpMiddleware
from serving.ops import endpoints as ops
from serving.ops.dead_letters import DeadLetters
from serving.ops.figures_freshness import FiguresFreshness
from serving.ops.overview.service import OverviewService
from serving.ops.protection import Protection
from serving.ops.readiness import ReadinessChecks
from serving.recommendation_health import endpoints as recommendation_health
from serving.recommendation_health.monitor import polled_health
from serving.recommendation_health.service import RecommendationHealthService
from serving.recommendations import endpoints as recommendations
from serving.recommendations.answer_log import AnswerLog
from serving.recommendations.listings import endpoints as listings
from serving.recommendations.recent_offers import recent_offers
from serving.recommendations.repurchase import repurchase_intervals
from serving.recommendations.rules.shop_rules import ShopRules
from serving.recommendations.rules.supply import products_for_exposure, suspended_sellers
from serving.recommendations.sellers import endpoints as sellers_to_follow
from serving.recommendations.service import RecommendationService
from serving.recommendations.strategy_choice import StrategyChoice
from serving.redis_client import open_redis
from serving.shared_queries import SharedQueries
from serving.stream_slots import StreamSlots
from serving.trainings import endpoints as trainings
from serving.trainings.service import TrainingsService
from serving.web import pages
from serving.web.admin.operations import STREAMS, STREAMS_OF_PERSON
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


def create_app(settings: Settings, clock: Clock = system_clock) -> FastAPI:
    """Return the application. Its clients open when it starts and close when it stops.

    Raises:
        MissingPolicy: a route has no policy.
        UserError: the settings have no `internal_secret`.
    """
    stopping = Stopping()
    tokens = PrincipalTokens(settings)
    default_language = language_of_locale(settings.shop_locale) or SOURCE

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[dict[str, Any]]:
        redis = open_redis(settings)
        queries = load_queries()
        async with (
            drained_before_stop(stopping, settings.drain_s),
            ClickHouseQueries(settings, queries) as clickhouse,
            CommerceClient(settings, tokens) as commerce,
            LoadShedder() as shedder,
        ):
            access_tokens = AccessTokens()
            auth_state = AuthState(commerce.auth_state, access_tokens)
            guests = GuestSessions(settings)
            identifier = Identifier(
                tokens, access_tokens, auth_state, ApiKeys(commerce.verify_api_key), guests
            )
            auth_state.start()
            app.state.guests = guests
            app.state.access_tokens = access_tokens
            live = LiveSettings(settings)
            live.start()
            limits = RateLimits(shared_counts(redis), live.rate_limit)
            app.state.guard = Gateway(identifier, limits, TimeLimits())
            app.state.pages.show_notice(lambda: live.values.get(MAINTENANCE_BANNER))
            app.state.live_values = live.values
            watermarks = WatermarkCache(clickhouse)
            versions = LiveVersions(redis)
            last = LastAnswers(redis, figures_version(settings, queries))
            catalogue = Catalogue(clickhouse, versions, settings.shop_currency, last)
            context = AnalyticsContext(
                settings.timezone, settings.shop_currency, clickhouse, versions, catalogue, watermarks, clock
            )
            freshness = FiguresFreshness(settings, watermarks, clock)
            readiness_checks = ReadinessChecks(settings, redis, clickhouse, freshness, stopping)
            watcher = CacheWatcher(settings)
            watcher.start()
            app.state.analytics = analytics_services = Analytics.of(context)
            app.state.experiments = ExperimentsService(context, live.values)
            app.state.uplift = UpliftService(context)
            app.state.recommendation_health = health = RecommendationHealthService(context, live.values)
            app.state.trainings = TrainingsService(clickhouse, versions, clock)
            app.state.audits = AuditsService(clickhouse, clock)
            app.state.seller_sql = seller_sql = SellerSql(settings, watermarks)
            app.state.export_slots = StreamSlots("exports", exports.EXPORTS_OF_SELLER, exports.EXPORTS)
            app.state.live_slots = StreamSlots(
                "live streams", live_metrics.STREAMS_OF_SELLER, live_metrics.STREAMS
            )
            app.state.dashboards = Dashboards(analytics_services, last)
            app.state.response_cache = response_cache = ResponseCache(versions)
            app.state.catalogue = catalogue
            app.state.commerce = commerce
            app.state.readiness_checks = readiness_checks
            app.state.freshness = freshness
            app.state.protection = Protection(settings, readiness_checks, commerce.routes)
            app.state.dead_letters = DeadLetters(settings)
            app.state.overview = overview = OverviewService(
                settings,
                clock,
                redis,
                readiness_checks,
                freshness,
                commerce,
                app.state.audits,
                app.state.trainings,
            )
            overview.start()
            app.state.overview_slots = StreamSlots("streams of /ops", STREAMS_OF_PERSON, STREAMS, "person")
            app.state.intake = EventIntake(settings, clock)
            pool = products_for_exposure(clickhouse, versions, live.values, clock)
            suspended = suspended_sellers(commerce.seller_suspensions)
            recent = recent_offers(clickhouse, versions, live.values, clock)
            pool.start()
            recent.start()
            suspended.start()
            intervals = repurchase_intervals(SharedQueries(clickhouse, redis), live.values, clock)
            intervals.start()
            rules = ShopRules(
                live.values,
                settings.shop_currency,
                lambda: pool.value,
                lambda: suspended.value,
                intervals=lambda: intervals.value,
            )
            app.state.answer_log = answer_log = AnswerLog(settings, app.state.intake.producer)
            answer_log.start()
            choice = StrategyChoice(live.values, clock, Random())
            app.state.recommendations = RecommendationService(
                versions,
                rules=rules,
                choice=choice,
                log=answer_log,
                recent=lambda: recent.value,
                clock=clock,
            )
            popular = app.state.recommendations.last_popular
            popular.start()
            monitored = polled_health(health)
            monitored.start()
            yield {ADMISSION: Admission(app, shedder, live.values, tokens, stopping, default_language)}
            await overview.aclose()
            await monitored.aclose()
            await popular.aclose()
            await answer_log.aclose()
            await pool.aclose()
            await recent.aclose()
            await intervals.aclose()
            await suspended.aclose()
            await auth_state.aclose()
            await live.aclose()
            await asyncio.to_thread(watcher.stop)
            await response_cache.aclose()
            await last.aclose()
            await app.state.intake.aclose()
            await readiness_checks.aclose()
            await freshness.aclose()
            await seller_sql.aclose()
            await watermarks.aclose()
            await redis.aclose()

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
    app.state.settings = settings
    app.state.stopping = stopping
    add_security_schemes(app)
    app.include_router(analytics.router)
    app.include_router(recommendation_health.router)
    app.include_router(trainings.router)  # its address is one of a recommendation, too
    app.include_router(experiments.router)  # its uplift of a seller has the address of a metric
    app.include_router(metrics.router)
    app.include_router(exports.router)
    app.include_router(live_metrics.router)
    app.include_router(customers.router)
    app.include_router(signals.router)
    app.include_router(seller_lists.router)
    app.include_router(product_endpoints.router)
    app.include_router(marketplace_metrics.router)
    app.include_router(sql.router)
    app.include_router(products.router)
    app.include_router(commerce_router())
    app.include_router(sessions.router)
    app.include_router(intake.router)
    app.include_router(recommendations.router)
    app.include_router(listings.router)
    app.include_router(sellers_to_follow.router)
    app.include_router(ops.router)
    app.include_router(audits.router)
    pages.mount(app, settings)
    check_policies(app, pages.STATIC_FILES)
    install_error_handlers(app, pages.render_problem)
    app.add_middleware(
        HttpMiddleware,
        hosts=_hosts(settings),
        render_problem=pages.render_problem,
        stopping=stopping,
        tokens=tokens,
    )
    app.add_middleware(LanguageMiddleware, default=default_language)
    return app


def _hosts(settings: Settings) -> list[str]:
    own = (urlsplit(url).hostname or LOOPBACK for url in (settings.serving, settings.public))
    return sorted({LOOPBACK, "localhost", *own})
