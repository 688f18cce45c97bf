"""The figures of sellers and of the marketplace: one service per concept over one `AnalyticsContext`."""

from dataclasses import dataclass

from serving.analytics.service.changes import ChangesService
from serving.analytics.service.customers import CustomersService
from serving.analytics.service.metrics import MetricsService
from serving.analytics.service.orders import OrdersService
from serving.analytics.service.parcels import ParcelsService
from serving.analytics.service.product_insights import ProductInsightsService
from serving.analytics.service.rankings import RankingsService
from serving.analytics.service.reviews import ReviewsService
from serving.analytics.service.sales import SalesService
from serving.analytics.service.signals import SignalsService
from serving.analytics.service.tasks import TasksService
from serving.kit.analytics_context import AnalyticsContext


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
