"""Recommendations as a domain: the lists, and the experiments, the trainings and the health behind them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from random import Random

from common.configuration.values import SettingValues
from common.settings import Settings
from serving.kit.analytics_context import AnalyticsContext
from serving.kit.domain import DomainDefinition, running
from serving.kit.event_producer import EventProducer
from serving.kit.product_lists import ProductLists
from serving.kit.shared_queries import SharedQueries
from serving.kit.stores import Stores
from serving.recommendations import admin_endpoints, endpoints
from serving.recommendations.answer_log import AnswerLog
from serving.recommendations.dependencies import FollowedSellers, RecommendationsDomain
from serving.recommendations.experiments import ExperimentsService, UpliftService
from serving.recommendations.health import RecommendationHealthService, polled_health
from serving.recommendations.recent_offers import recent_offers
from serving.recommendations.repurchase import repurchase_intervals
from serving.recommendations.rules.shop_rules import (
    ShopRules,
    Suspensions,
    check_entries,
    products_for_exposure,
    suspended_sellers,
)
from serving.recommendations.service import RecommendationService
from serving.recommendations.strategies import StrategyChoice
from serving.recommendations.training_runs import TrainingsService


@asynccontextmanager
async def _open(
    settings: Settings,
    stores: Stores,
    context: AnalyticsContext,
    values: SettingValues,
    product_lists: ProductLists,
    producer: EventProducer,
    suspensions: Suspensions,
    followed_sellers: FollowedSellers,
) -> AsyncIterator[RecommendationsDomain]:
    """Read in the background what lists need from other parts, and log each answer through `producer`."""
    clickhouse, versions, clock = stores.clickhouse, stores.versions, context.clock
    health = RecommendationHealthService(context, values)

    async def check_setting(name: str, value: object) -> None:
        await check_entries(name, value, values, stores, product_lists, clock())

    shared = SharedQueries(clickhouse, stores.redis)
    async with (
        running(suspended_sellers(suspensions)) as suspended,
        running(repurchase_intervals(shared, values, clock)) as intervals,
        running(recent_offers(clickhouse, versions, values, clock)) as recent,
        running(products_for_exposure(clickhouse, versions, values, clock)) as pool,
        running(AnswerLog(settings, producer)) as log,
    ):
        service = RecommendationService(
            versions,
            rules=ShopRules(
                values,
                settings.shop_currency,
                lambda: pool.value,
                lambda: suspended.value,
                intervals=lambda: intervals.value,
            ),
            choice=StrategyChoice(values, clock, Random()),
            log=log,
            recent=lambda: recent.value,
            clock=clock,
        )
        async with running(service.last_popular), running(polled_health(health)):
            yield RecommendationsDomain(
                service,
                ExperimentsService(context, values),
                UpliftService(context),
                health,
                TrainingsService(clickhouse, versions, clock),
                product_lists,
                followed_sellers,
                check_setting,
            )


RECOMMENDATIONS = DomainDefinition(
    (
        admin_endpoints.trainings_router,  # its address is one of a recommendation, too
        admin_endpoints.router,  # its uplift of a seller has the address of a metric
        endpoints.router,
        endpoints.listings_router,
        endpoints.sellers_router,
    ),
    _open,
)
