"""Answers the questions of dashboards: with the last answer, marked as stale, while ClickHouse is away."""

from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass
from functools import partial
from hashlib import blake2b
from typing import Any, Concatenate, Generic, ParamSpec, TypeVar

import orjson

from clickhouse.metric_catalogue.definition import Metric, read_every_metric
from clickhouse.metric_catalogue.queries import series_query, split_query
from clickhouse.metric_catalogue.scope import MARKETPLACE, ONE_SELLER
from clickhouse.metrics.definition import read_definitions
from common.settings import Settings
from serving.analytics import (
    changes,
    customers,
    metrics,
    orders,
    product_insights,
    rankings,
    reviews,
    sales,
    signals,
    tasks,
)
from serving.analytics.metric_schemas import MarketplaceMetrics, MetricRows, SellerMetrics
from serving.analytics.sales_schemas import MarketplaceSales, SellerSales
from serving.kit.analytics_context import AnalyticsContext, SalesSpan
from serving.kit.cache.last_answers import LastAnswers, Question
from serving.kit.clickhouse import Row

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Analytics:
    """What the figures are computed from, and the lists that no dashboard shows."""

    context: AnalyticsContext
    rankings: rankings.RankingsService


def figures_version(settings: Settings, queries: Mapping[str, str]) -> str:
    """Return what all figures depend on besides what is asked: definitions, queries, and the shop's settings.

    The definitions are those of this checkout, to which `./souk up` switches readers.
    """
    definitions = sorted((name, each.version) for name, each in read_definitions().items())
    definitions += [(name, _statements(each)) for name, each in read_every_metric().items()]
    definitions += [
        ("seller_sales", sales.SELLER_SQL),
        ("seller_products", rankings.products_sql("net_sales")),
    ]
    shop = (settings.clickhouse_database, settings.shop_currency, settings.shop_timezone)
    return blake2b(orjson.dumps((definitions, sorted(queries.items()), shop)), digest_size=8).hexdigest()


_SELLERS = Question[rankings.Sellers]("sellers", rankings.Sellers)


class DashboardQuestion(Generic[P, T]):
    """A method of `Dashboards`: returns what `compute` returns, or the last answer to the same question."""

    def __init__(
        self, name: str, answers: Any, compute: Callable[Concatenate[AnalyticsContext, P], Awaitable[T]]
    ) -> None:
        """`name` and `answers`, the type `T`, are those of `Question`."""
        self._question, self._compute = Question[T](name, answers), compute

    def __get__(self, dashboards: "Dashboards", _: object = None) -> Callable[P, Coroutine[Any, Any, T]]:
        return partial(
            dashboards.last.ask, self._question, partial(self._compute, dashboards.analytics.context)
        )


@dataclass(frozen=True, slots=True)
class Dashboards:
    """Computes figures, and stores the last answers.

    Every method raises `ClickHouseUnavailable` if ClickHouse does not answer and no last answer is known, and
    else what the function raises that computes the figures.
    """

    analytics: Analytics
    last: LastAnswers

    seller = DashboardQuestion("seller", Row | None, AnalyticsContext.registered_seller)
    """Return the name, place and registration time (UTC text) of a seller; None if never registered."""

    seller_span = DashboardQuestion("seller_span", SalesSpan, AnalyticsContext.seller_span)
    """Return when a seller first and last sold something."""

    sales_of_seller = DashboardQuestion("seller_sales", SellerSales, sales.of_seller)
    """Return what a seller sold, compared with the previous period."""

    sales_change = DashboardQuestion("sales_change", changes.SalesChange, changes.of_seller)
    """Return why the net sales of a seller differ from those of an earlier period."""

    tasks_of_seller = DashboardQuestion("tasks", tasks.SellerTasks, tasks.of_seller)
    """Return the orders that a seller has to ship, and the products to reorder."""

    due_parcels = DashboardQuestion("due_parcels", tasks.DueParcels, tasks.due_parcels)
    """Return the parcels that a seller has to ship."""

    reviews_of_seller = DashboardQuestion("reviews", reviews.Reviews, reviews.of_seller)
    """Return a page of a seller's reviews, the newest first."""

    cohorts_of_seller = DashboardQuestion("cohorts", customers.CustomerCohorts, customers.cohorts_of_seller)
    """Return a seller's customers by the month of their first order."""

    segments_of_seller = DashboardQuestion(
        "segments", customers.CustomerSegments, customers.segments_of_seller
    )
    """Return the segments of a seller's customers."""

    price_changes_of_seller = DashboardQuestion(
        "price_changes", product_insights.PriceChanges, product_insights.price_changes
    )
    """Return the price changes of a seller's products, and what was sold before and after."""

    bought_together_of_seller = DashboardQuestion(
        "bought_together", product_insights.BoughtTogether, product_insights.bought_together
    )
    """Return pairs of a seller's products that are bought together."""

    top_products = DashboardQuestion("top_products", rankings.TopProducts, rankings.top_products)
    """Return a seller's best products of a period."""

    orders_of_seller = DashboardQuestion("orders", orders.Orders, orders.of_seller)
    """Return a page of a seller's orders, the newest first."""

    signals_of_seller = DashboardQuestion("signals", signals.SellerSignals, signals.of_seller)
    """Return a page of a seller's signals, the newest first."""

    signals_of_marketplace = DashboardQuestion("marketplace_signals", signals.Signals, signals.of_marketplace)
    """Return a page of the signals of all sellers and of the marketplace, the newest first."""

    stored_metrics_of_seller = DashboardQuestion("metrics", SellerMetrics, metrics.of_seller)
    """Return metrics of the catalogue for a seller."""

    metrics_of_marketplace = DashboardQuestion(
        "marketplace_metrics", MarketplaceMetrics, metrics.of_marketplace
    )
    """Return metrics of the catalogue for the whole marketplace."""

    metric_rows_of_seller = DashboardQuestion("metric_rows", MetricRows, metrics.rows_of_seller)
    """Return a page of the rows that a metric of a seller adds up, the newest first."""

    marketplace_span = DashboardQuestion("marketplace_span", SalesSpan, AnalyticsContext.marketplace_span)
    """Return when the whole marketplace first and last sold something."""

    sales_of_marketplace = DashboardQuestion("marketplace_sales", MarketplaceSales, sales.of_marketplace)
    """Return what all sellers sold, compared with the previous period."""

    async def metrics_of_seller(
        self, seller_id: str, request: metrics.MetricsRequest, is_stored: bool = True
    ) -> SellerMetrics:
        """Return metrics of the catalogue for a seller.

        An answer that is not `is_stored` is never a last one, and does not become one.
        """
        if is_stored:
            return await self.stored_metrics_of_seller(seller_id, request)
        return await metrics.of_seller(self.analytics.context, seller_id, request)

    async def best_sellers(self, limit: int) -> rankings.Sellers:
        """Return the best-selling sellers."""
        return await self.last.ask(_SELLERS, self.analytics.rankings.find_sellers, "", limit)


def _statements(metric: Metric) -> str:
    """Return the SQL of a metric's series and splits, and its version."""
    sql = []
    for scope, dimensions in ((ONE_SELLER, metric.dimensions), (MARKETPLACE, metric.marketplace_dimensions)):
        sql.append(series_query([metric], of_product=False, scope=scope))
        sql += [split_query([metric], each, of_product=False, scope=scope) for each in dimensions.values()]
    return "\n".join((metric.version, *sql))
