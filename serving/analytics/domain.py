"""Analytics as a domain: the figures of sellers and of the marketplace."""

from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager

from common.clock import Clock
from common.settings import Settings
from serving.analytics import (
    endpoints,
    export_endpoints,
    insight_endpoints,
    live_metrics,
    metric_endpoints,
    sql_endpoints,
)
from serving.analytics.dashboards import Analytics, Dashboards
from serving.analytics.dependencies import AnalyticsDomain
from serving.analytics.rankings import RankingsService
from serving.analytics.seller_sql import SellerSql
from serving.kit.analytics_context import AnalyticsContext
from serving.kit.domain import DomainDefinition
from serving.kit.stores import Stores
from serving.kit.stream_slots import StreamSlots


@asynccontextmanager
async def _open(settings: Settings, stores: Stores, clock: Clock) -> AsyncIterator[AnalyticsDomain]:
    """Open the services over the stores, and a client of the service that runs sellers' queries."""
    context = AnalyticsContext(
        settings.timezone,
        settings.shop_currency,
        stores.clickhouse,
        stores.versions,
        stores.names,
        stores.watermarks,
        clock,
    )
    services = Analytics(context, RankingsService(context))
    async with aclosing(SellerSql(settings, stores.watermarks)) as seller_sql:
        yield AnalyticsDomain(
            services,
            Dashboards(services, stores.last_answers),
            seller_sql,
            StreamSlots("exports", export_endpoints.EXPORTS_OF_SELLER, export_endpoints.EXPORTS),
            StreamSlots("live streams", live_metrics.STREAMS_OF_SELLER, live_metrics.STREAMS),
        )


ANALYTICS = DomainDefinition(
    (
        endpoints.router,
        metric_endpoints.router,
        export_endpoints.router,
        live_metrics.router,
        insight_endpoints.customers_router,
        endpoints.lists_router,
        insight_endpoints.products_router,
        metric_endpoints.marketplace_router,
        sql_endpoints.router,
    ),
    _open,
)
