"""Answers the questions of dashboards: with the last answer, marked as stale, while ClickHouse is away."""

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import blake2b

import orjson

from clickhouse.metric_catalogue.definition import Metric, read_every_metric
from clickhouse.metric_catalogue.queries import series_query, split_query
from clickhouse.metric_catalogue.scope import MARKETPLACE, ONE_SELLER
from clickhouse.metrics.definition import read_definitions
from common.settings import Settings
from serving.analytics.changes import ChangeRequest, ChangesService, SalesChange
from serving.analytics.customers import CohortsRequest, CustomerCohorts, CustomerSegments, CustomersService
from serving.analytics.metric_schemas import MarketplaceMetrics, MetricRows, SellerMetrics
from serving.analytics.metrics import MetricsRequest, MetricsService
from serving.analytics.orders import Orders, OrdersService
from serving.analytics.product_insights import (
    BoughtTogether,
    PairsRequest,
    PriceChanges,
    PriceChangesRequest,
    ProductInsightsService,
)
from serving.analytics.rankings import By, RankingsService, Sellers, TopProducts, products_sql
from serving.analytics.reviews import Reviews, ReviewsRequest, ReviewsService
from serving.analytics.sales import SELLER_SQL, SalesService
from serving.analytics.sales_schemas import MarketplaceSales, SellerSales
from serving.analytics.signals import SellerSignals, Signals, SignalsRequest, SignalsService
from serving.analytics.tasks import DueParcels, ParcelsService, SellerTasks, TasksService
from serving.kit.analytics_context import AnalyticsContext, PeriodRequest, SalesSpan
from serving.kit.cache.last_answers import LastAnswers, Question
from serving.kit.clickhouse import Row


@dataclass(frozen=True, slots=True)
class Analytics:
    """All analytics services."""

    context: AnalyticsContext
    sales: SalesService
    orders: OrdersService
    rankings: RankingsService
    metrics: MetricsService
    changes: ChangesService
    tasks: TasksService
    customers: CustomersService
    signals: SignalsService
    parcels: ParcelsService
    reviews: ReviewsService
    products: ProductInsightsService

    @classmethod
    def of(cls, context: AnalyticsContext) -> "Analytics":
        """Return the services over one context."""
        return cls(
            context,
            SalesService(context),
            OrdersService(context),
            RankingsService(context),
            MetricsService(context),
            ChangesService(context),
            TasksService(context),
            CustomersService(context),
            SignalsService(context),
            ParcelsService(context),
            ReviewsService(context),
            ProductInsightsService(context),
        )


_SELLER = Question[Row | None]("seller", Row | None)
_SELLER_SPAN = Question[SalesSpan]("seller_span", SalesSpan)
_SELLER_SALES = Question[SellerSales]("seller_sales", SellerSales)
_TOP_PRODUCTS = Question[TopProducts]("top_products", TopProducts)
_ORDERS = Question[Orders]("orders", Orders)
_SELLERS = Question[Sellers]("sellers", Sellers)
_SALES_CHANGE = Question[SalesChange]("sales_change", SalesChange)
_TASKS = Question[SellerTasks]("tasks", SellerTasks)
_SIGNALS = Question[SellerSignals]("signals", SellerSignals)
_MARKETPLACE_SIGNALS = Question[Signals]("marketplace_signals", Signals)
_DUE_PARCELS = Question[DueParcels]("due_parcels", DueParcels)
_REVIEWS = Question[Reviews]("reviews", Reviews)
_COHORTS = Question[CustomerCohorts]("cohorts", CustomerCohorts)
_SEGMENTS = Question[CustomerSegments]("segments", CustomerSegments)
_PRICE_CHANGES = Question[PriceChanges]("price_changes", PriceChanges)
_BOUGHT_TOGETHER = Question[BoughtTogether]("bought_together", BoughtTogether)
_METRICS = Question[SellerMetrics]("metrics", SellerMetrics)
_MARKETPLACE_METRICS = Question[MarketplaceMetrics]("marketplace_metrics", MarketplaceMetrics)
_METRIC_ROWS = Question[MetricRows]("metric_rows", MetricRows)
_MARKETPLACE_SPAN = Question[SalesSpan]("marketplace_span", SalesSpan)
_MARKETPLACE_SALES = Question[MarketplaceSales]("marketplace_sales", MarketplaceSales)


def figures_version(settings: Settings, queries: Mapping[str, str]) -> str:
    """Return what all figures depend on besides what is asked: definitions, queries, and the shop's settings.

    The definitions are those of this checkout, to which `./souk up` switches readers.
    """
    definitions = sorted((name, each.version) for name, each in read_definitions().items())
    definitions += [(name, _statements(each)) for name, each in read_every_metric().items()]
    definitions += [("seller_sales", SELLER_SQL), ("seller_products", products_sql("net_sales"))]
    shop = (settings.clickhouse_database, settings.shop_currency, settings.shop_timezone)
    return blake2b(orjson.dumps((definitions, sorted(queries.items()), shop)), digest_size=8).hexdigest()


@dataclass(frozen=True, slots=True)
class Dashboards:
    """Asks the analytics services, and stores their last answers.

    Every method raises `ClickHouseUnavailable` if ClickHouse does not answer and no last answer is known, and
    else what the service raises.
    """

    analytics: Analytics
    last: LastAnswers

    async def seller(self, seller_id: str) -> Row | None:
        """Return the name, place and registration time (UTC text) of a seller; None if never registered."""
        return await self.last.ask(_SELLER, self.analytics.context.registered_seller, seller_id)

    async def seller_span(self, seller_id: str) -> SalesSpan:
        """Return when a seller first and last sold something."""
        return await self.last.ask(_SELLER_SPAN, self.analytics.context.seller_span, seller_id)

    async def sales_of_seller(self, seller_id: str, requested: PeriodRequest) -> SellerSales:
        """Return what a seller sold, compared with the previous period."""
        return await self.last.ask(_SELLER_SALES, self.analytics.sales.of_seller, seller_id, requested)

    async def sales_change(self, seller_id: str, request: ChangeRequest) -> SalesChange:
        """Return why the net sales of a seller differ from those of an earlier period."""
        return await self.last.ask(_SALES_CHANGE, self.analytics.changes.of_seller, seller_id, request)

    async def tasks_of_seller(self, seller_id: str, limit: int) -> SellerTasks:
        """Return the orders that a seller has to ship, and the products to reorder."""
        return await self.last.ask(_TASKS, self.analytics.tasks.of_seller, seller_id, limit)

    async def due_parcels(self, seller_id: str, limit: int) -> DueParcels:
        """Return the parcels that a seller has to ship."""
        return await self.last.ask(_DUE_PARCELS, self.analytics.parcels.due, seller_id, limit)

    async def reviews_of_seller(
        self, seller_id: str, request: ReviewsRequest, cursor: str | None, limit: int
    ) -> Reviews:
        """Return a page of a seller's reviews, the newest first."""
        return await self.last.ask(
            _REVIEWS, self.analytics.reviews.of_seller, seller_id, request, cursor, limit
        )

    async def cohorts_of_seller(self, seller_id: str, request: CohortsRequest) -> CustomerCohorts:
        """Return a seller's customers by the month of their first order."""
        return await self.last.ask(_COHORTS, self.analytics.customers.cohorts_of_seller, seller_id, request)

    async def segments_of_seller(self, seller_id: str) -> CustomerSegments:
        """Return the segments of a seller's customers."""
        return await self.last.ask(_SEGMENTS, self.analytics.customers.segments_of_seller, seller_id)

    async def price_changes_of_seller(self, seller_id: str, request: PriceChangesRequest) -> PriceChanges:
        """Return the price changes of a seller's products, and what was sold before and after."""
        return await self.last.ask(_PRICE_CHANGES, self.analytics.products.price_changes, seller_id, request)

    async def bought_together_of_seller(self, seller_id: str, request: PairsRequest) -> BoughtTogether:
        """Return pairs of a seller's products that are bought together."""
        return await self.last.ask(
            _BOUGHT_TOGETHER, self.analytics.products.bought_together, seller_id, request
        )

    async def top_products(self, seller_id: str, requested: PeriodRequest, by: By, limit: int) -> TopProducts:
        """Return a seller's best products of a period."""
        rankings = self.analytics.rankings
        return await self.last.ask(_TOP_PRODUCTS, rankings.top_products, seller_id, requested, by, limit)

    async def orders_of_seller(
        self, seller_id: str, requested: PeriodRequest, cursor: str | None, limit: int
    ) -> Orders:
        """Return a page of a seller's orders, the newest first."""
        return await self.last.ask(
            _ORDERS, self.analytics.orders.of_seller, seller_id, requested, cursor, limit
        )

    async def signals_of_seller(self, seller_id: str, request: SignalsRequest) -> SellerSignals:
        """Return a page of a seller's signals, the newest first."""
        return await self.last.ask(_SIGNALS, self.analytics.signals.of_seller, seller_id, request)

    async def signals_of_marketplace(self, request: SignalsRequest) -> Signals:
        """Return a page of the signals of all sellers and of the marketplace, the newest first."""
        return await self.last.ask(_MARKETPLACE_SIGNALS, self.analytics.signals.of_marketplace, request)

    async def metrics_of_seller(
        self, seller_id: str, request: MetricsRequest, is_stored: bool = True
    ) -> SellerMetrics:
        """Return metrics of the catalogue for a seller.

        An answer that is not `is_stored` is never a last one, and does not become one.
        """
        if not is_stored:
            return await self.analytics.metrics.of_seller(seller_id, request)
        return await self.last.ask(_METRICS, self.analytics.metrics.of_seller, seller_id, request)

    async def metrics_of_marketplace(self, request: MetricsRequest) -> MarketplaceMetrics:
        """Return metrics of the catalogue for the whole marketplace."""
        return await self.last.ask(_MARKETPLACE_METRICS, self.analytics.metrics.of_marketplace, request)

    async def metric_rows_of_seller(
        self, seller_id: str, request: MetricsRequest, cursor: str | None, limit: int
    ) -> MetricRows:
        """Return a page of the rows that a metric of a seller adds up, the newest first."""
        metrics = self.analytics.metrics
        return await self.last.ask(_METRIC_ROWS, metrics.rows_of_seller, seller_id, request, cursor, limit)

    async def best_sellers(self, limit: int) -> Sellers:
        """Return the best-selling sellers."""
        return await self.last.ask(_SELLERS, self.analytics.rankings.find_sellers, "", limit)

    async def marketplace_span(self) -> SalesSpan:
        """Return when the whole marketplace first and last sold something."""
        return await self.last.ask(_MARKETPLACE_SPAN, self.analytics.context.marketplace_span)

    async def sales_of_marketplace(self, requested: PeriodRequest) -> MarketplaceSales:
        """Return what all sellers sold, compared with the previous period."""
        return await self.last.ask(_MARKETPLACE_SALES, self.analytics.sales.of_marketplace, requested)


def _statements(metric: Metric) -> str:
    """Return the SQL of a metric's series and splits, and its version."""
    sql = []
    for scope, dimensions in ((ONE_SELLER, metric.dimensions), (MARKETPLACE, metric.marketplace_dimensions)):
        sql.append(series_query([metric], of_product=False, scope=scope))
        sql += [split_query([metric], each, of_product=False, scope=scope) for each in dimensions.values()]
    return "\n".join((metric.version, *sql))
