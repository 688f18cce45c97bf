"""The sections about price changes and products bought together, on the page of a seller's metrics."""

import asyncio
from dataclasses import dataclass

from serving.analytics.dashboards import Dashboards
from serving.analytics.product_insights import BoughtTogether, PairsRequest, PriceChanges, PriceChangesRequest
from serving.kit.analytics_context import PeriodRequest
from serving.kit.clickhouse import unless_unavailable

DOMAIN = "products"
"""The domain of metrics whose page has the sections."""

ROWS = 10


@dataclass(frozen=True, slots=True)
class ProductInsights:
    """The content of the sections. `is_shown` is False on pages without them; None can't be computed."""

    is_shown: bool
    prices: PriceChanges | None = None
    together: BoughtTogether | None = None

    @property
    def is_old(self) -> bool:
        """Whether a section is missing, or has figures of earlier."""
        return self.is_shown and any(each is None or each["stale"] for each in (self.prices, self.together))


async def product_insights(
    dashboards: Dashboards, seller_id: str, period: PeriodRequest, domain: str
) -> ProductInsights:
    """Return the sections of the page of a domain over a period."""
    if domain != DOMAIN:
        return ProductInsights(is_shown=False)
    prices, together = await asyncio.gather(
        unless_unavailable(
            dashboards.price_changes_of_seller(seller_id, PriceChangesRequest(period, limit=ROWS))
        ),
        unless_unavailable(dashboards.bought_together_of_seller(seller_id, PairsRequest(period, limit=ROWS))),
    )
    return ProductInsights(True, prices, together)
