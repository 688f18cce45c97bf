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
from serving.analytics.schemas.changes import SalesChange
from serving.analytics.schemas.customers import CustomerCohorts, CustomerSegments
from serving.analytics.schemas.metrics import MarketplaceMetrics, MetricRows, SellerMetrics
from serving.analytics.schemas.orders import Orders
from serving.analytics.schemas.parcels import DueParcels
from serving.analytics.schemas.product_insights import BoughtTogether, PriceChanges
from serving.analytics.schemas.products import By, TopProducts
from serving.analytics.schemas.reviews import Reviews
from serving.analytics.schemas.sales import MarketplaceSales, SellerSales
from serving.analytics.schemas.sellers import Sellers
from serving.analytics.schemas.signals import SellerSignals, Signals
from serving.analytics.schemas.tasks import SellerTasks
from serving.analytics.service import Analytics
from serving.analytics.service.changes import ChangeRequest
from serving.analytics.service.customers import CohortsRequest
from serving.analytics.service.metrics import MetricsRequest
from serving.analytics.service.product_insights import PairsRequest, PriceChangesRequest
from serving.analytics.service.rankings import products_sql
from serving.analytics.service.reviews import ReviewsRequest
from serving.analytics.service.sales import SELLER_SQL
from serving.analytics.service.signals import SignalsRequest
from serving.kit.analytics_context import PeriodRequest, SalesSpan
from serving.kit.cache.last_answers import LastAnswers, Question
from serving.kit.clickhouse import Row

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
        answer = await self.last.ask(
            _SELLER, (seller_id,), lambda: self.analytics.context.registered_seller(seller_id)
        )
        return answer.content

    async def seller_span(self, seller_id: str) -> SalesSpan:
        """Return when a seller first and last sold something."""
        answer = await self.last.ask(
            _SELLER_SPAN, (seller_id,), lambda: self.analytics.context.seller_span(seller_id)
        )
        return answer.content

    async def sales_of_seller(self, seller_id: str, requested: PeriodRequest) -> SellerSales:
        """Return what a seller sold, compared with the previous period."""
        content, stale = await self.last.ask(
            _SELLER_SALES,
            (seller_id, *_parts(requested)),
            lambda: self.analytics.sales.of_seller(seller_id, requested),
        )
        return {**content, "stale": stale}

    async def sales_change(self, seller_id: str, request: ChangeRequest) -> SalesChange:
        """Return why the net sales of a seller differ from those of an earlier period."""
        content, stale = await self.last.ask(
            _SALES_CHANGE,
            (seller_id, *_parts(request.period), request.compare, request.top),
            lambda: self.analytics.changes.of_seller(seller_id, request),
        )
        return {**content, "stale": stale}

    async def tasks_of_seller(self, seller_id: str, limit: int) -> SellerTasks:
        """Return the orders that a seller has to ship, and the products to reorder."""
        content, stale = await self.last.ask(
            _TASKS, (seller_id, limit), lambda: self.analytics.tasks.of_seller(seller_id, limit)
        )
        return {**content, "stale": stale}

    async def due_parcels(self, seller_id: str, limit: int) -> DueParcels:
        """Return the parcels that a seller has to ship."""
        content, stale = await self.last.ask(
            _DUE_PARCELS, (seller_id, limit), lambda: self.analytics.parcels.due(seller_id, limit)
        )
        return {**content, "stale": stale}

    async def reviews_of_seller(
        self, seller_id: str, request: ReviewsRequest, cursor: str | None, limit: int
    ) -> Reviews:
        """Return a page of a seller's reviews, the newest first."""
        content, stale = await self.last.ask(
            _REVIEWS,
            (seller_id, *_parts(request.period), request.lowest, request.highest, cursor, limit),
            lambda: self.analytics.reviews.of_seller(seller_id, request, cursor, limit),
        )
        return {**content, "stale": stale}

    async def cohorts_of_seller(self, seller_id: str, request: CohortsRequest) -> CustomerCohorts:
        """Return a seller's customers by the month of their first order."""
        content, stale = await self.last.ask(
            _COHORTS,
            (seller_id, request.months, request.until, request.timezone),
            lambda: self.analytics.customers.cohorts_of_seller(seller_id, request),
        )
        return {**content, "stale": stale}

    async def segments_of_seller(self, seller_id: str) -> CustomerSegments:
        """Return the segments of a seller's customers."""
        content, stale = await self.last.ask(
            _SEGMENTS, (seller_id,), lambda: self.analytics.customers.segments_of_seller(seller_id)
        )
        return {**content, "stale": stale}

    async def price_changes_of_seller(self, seller_id: str, request: PriceChangesRequest) -> PriceChanges:
        """Return the price changes of a seller's products, and what was sold before and after."""
        content, stale = await self.last.ask(
            _PRICE_CHANGES,
            (seller_id, *_parts(request.period), request.days, request.limit),
            lambda: self.analytics.products.price_changes(seller_id, request),
        )
        return {**content, "stale": stale}

    async def bought_together_of_seller(self, seller_id: str, request: PairsRequest) -> BoughtTogether:
        """Return pairs of a seller's products that are bought together."""
        content, stale = await self.last.ask(
            _BOUGHT_TOGETHER,
            (seller_id, *_parts(request.period), request.min_orders, request.limit),
            lambda: self.analytics.products.bought_together(seller_id, request),
        )
        return {**content, "stale": stale}

    async def top_products(self, seller_id: str, requested: PeriodRequest, by: By, limit: int) -> TopProducts:
        """Return a seller's best products of a period."""
        content, stale = await self.last.ask(
            _TOP_PRODUCTS,
            (seller_id, *_parts(requested), by, limit),
            lambda: self.analytics.rankings.top_products(seller_id, requested, by, limit),
        )
        return {**content, "stale": stale}

    async def orders_of_seller(
        self, seller_id: str, requested: PeriodRequest, cursor: str | None, limit: int
    ) -> Orders:
        """Return a page of a seller's orders, the newest first."""
        content, stale = await self.last.ask(
            _ORDERS,
            (seller_id, *_parts(requested), cursor, limit),
            lambda: self.analytics.orders.of_seller(seller_id, requested, cursor, limit),
        )
        return {**content, "stale": stale}

    async def signals_of_seller(self, seller_id: str, request: SignalsRequest) -> SellerSignals:
        """Return a page of a seller's signals, the newest first."""
        content, stale = await self.last.ask(
            _SIGNALS,
            (seller_id, *_signal_parts(request)),
            lambda: self.analytics.signals.of_seller(seller_id, request),
        )
        return {**content, "stale": stale}

    async def signals_of_marketplace(self, request: SignalsRequest) -> Signals:
        """Return a page of the signals of all sellers and of the marketplace, the newest first."""
        content, stale = await self.last.ask(
            _MARKETPLACE_SIGNALS,
            _signal_parts(request),
            lambda: self.analytics.signals.of_marketplace(request),
        )
        return {**content, "stale": stale}

    async def metrics_of_seller(
        self, seller_id: str, request: MetricsRequest, is_stored: bool = True
    ) -> SellerMetrics:
        """Return metrics of the catalogue for a seller.

        An answer that is not `is_stored` is never a last one, and does not become one.
        """
        if not is_stored:
            return await self.analytics.metrics.of_seller(seller_id, request)
        content, stale = await self.last.ask(
            _METRICS,
            (seller_id, *_metric_parts(request)),
            lambda: self.analytics.metrics.of_seller(seller_id, request),
        )
        return {**content, "stale": stale}

    async def metrics_of_marketplace(self, request: MetricsRequest) -> MarketplaceMetrics:
        """Return metrics of the catalogue for the whole marketplace."""
        content, stale = await self.last.ask(
            _MARKETPLACE_METRICS,
            _metric_parts(request),
            lambda: self.analytics.metrics.of_marketplace(request),
        )
        return {**content, "stale": stale}

    async def metric_rows_of_seller(
        self, seller_id: str, request: MetricsRequest, cursor: str | None, limit: int
    ) -> MetricRows:
        """Return a page of the rows that a metric of a seller adds up, the newest first."""
        content, stale = await self.last.ask(
            _METRIC_ROWS,
            (seller_id, *_metric_parts(request), cursor, limit),
            lambda: self.analytics.metrics.rows_of_seller(seller_id, request, cursor, limit),
        )
        return {**content, "stale": stale}

    async def best_sellers(self, limit: int) -> Sellers:
        """Return the best-selling sellers."""
        answer = await self.last.ask(
            _SELLERS, (limit,), lambda: self.analytics.rankings.find_sellers("", limit)
        )
        return answer.content

    async def marketplace_span(self) -> SalesSpan:
        """Return when the whole marketplace first and last sold something."""
        return (await self.last.ask(_MARKETPLACE_SPAN, (), self.analytics.context.marketplace_span)).content

    async def sales_of_marketplace(self, requested: PeriodRequest) -> MarketplaceSales:
        """Return what all sellers sold, compared with the previous period."""
        content, stale = await self.last.ask(
            _MARKETPLACE_SALES,
            _parts(requested),
            lambda: self.analytics.sales.of_marketplace(requested),
        )
        return {**content, "stale": stale}


def _parts(requested: PeriodRequest) -> tuple[str | None, str | None, str | None]:
    return requested.start, requested.end, requested.grain


def _statements(metric: Metric) -> str:
    """Return the SQL of a metric's series and splits, and its version."""
    sql = []
    for scope, dimensions in ((ONE_SELLER, metric.dimensions), (MARKETPLACE, metric.marketplace_dimensions)):
        sql.append(series_query([metric], of_product=False, scope=scope))
        sql += [split_query([metric], each, of_product=False, scope=scope) for each in dimensions.values()]
    return "\n".join((metric.version, *sql))


def _metric_parts(request: MetricsRequest) -> tuple[str | int | None, ...]:
    names = ",".join(request.metrics)
    only = (request.only.dimension, request.only.value) if request.only else (None, None)
    split = request.compare, request.by, request.top
    return names, *_parts(request.period), *split, request.product_id, *only


def _signal_parts(request: SignalsRequest) -> tuple[str | int | None, ...]:
    return *_parts(request.period), request.kind, request.cursor, request.limit
