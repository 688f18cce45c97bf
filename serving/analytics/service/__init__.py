"""Answers what sellers, analysts and pages ask; one service a concept, all over the same `Shop`."""

from dataclasses import dataclass

from serving.analytics.service.orders import OrdersService
from serving.analytics.service.rankings import RankingsService
from serving.analytics.service.sales import SalesService
from serving.analytics.service.shop import Shop


@dataclass(frozen=True, slots=True)
class Analytics:
    """Every figure that is served."""

    shop: Shop
    sales: SalesService
    orders: OrdersService
    rankings: RankingsService

    @classmethod
    def of(cls, shop: Shop) -> "Analytics":
        """The services of this shop."""
        return cls(shop, SalesService(shop), OrdersService(shop), RankingsService(shop))
