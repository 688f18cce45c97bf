"""Returns the parcels that a seller must ship, by what was promised to the shoppers."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from common.clock import from_millis
from serving.analytics.schemas.parcels import DueParcel, DueParcels
from serving.analytics.service.tasks import TO_SHIP_DAYS
from serving.kit.analytics_context import AnalyticsContext
from serving.kit.clickhouse import Row
from serving.kit.names import UNNAMED, ProductName
from serving.kit.periods import midnight

PARCEL_TABLES = ("order_lines", "parcels")

MAX_PARCELS = 1_000
"""The longest list."""


class ParcelsService:
    """Returns parcels. They do not depend on a period."""

    def __init__(self, context: AnalyticsContext) -> None:
        self._context = context

    async def due(self, seller_id: str, limit: int) -> DueParcels:
        """Return the first `limit` parcels to ship: the earliest promise first.

        A parcel is overdue once the day that was promised is over, as for the late share.

        Raises:
            UNKNOWN_SELLER: the seller never registered and never sold anything.
        """
        context = self._context
        as_of = await context.watermarks.as_of(PARCEL_TABLES)
        until = as_of or context.clock()
        today = until.astimezone(context.zone).date()
        first_moment, after_tomorrow = (
            midnight(today + timedelta(days=days), context.zone) for days in (0, 2)
        )
        rows = await context.clickhouse.rows(
            "seller_due_parcels",
            seller_id=seller_id,
            since=until.replace(second=0, microsecond=0) - timedelta(days=TO_SHIP_DAYS),
            overdue_before=first_moment,
            soon_before=after_tomorrow,
            limit=limit,
        )
        await context.require_seller(seller_id, rows)
        products = {product_id for row in rows for _, product_id, _ in row["lines"]}
        names = await context.product_names(products)
        counts = rows[0] if rows else dict.fromkeys(("orders", "all_units", "overdue", "overdue_or_soon"), 0)
        return {
            "seller_id": seller_id,
            "timezone": context.zone.key,
            "days": TO_SHIP_DAYS,
            "orders": int(counts["orders"]),
            "units": int(counts["all_units"]),
            "overdue": int(counts["overdue"]),
            "due_soon": int(counts["overdue_or_soon"]) - int(counts["overdue"]),
            "parcels": [self._parcel(row, names, first_moment) for row in rows],
            "as_of": context.local(as_of),
            "stale": False,
        }

    def _parcel(self, row: Row, names: Mapping[str, ProductName], overdue_before: datetime) -> DueParcel:
        promised = row["promised_ms"]
        promised_at = None if promised is None else from_millis(int(promised))
        return {
            "order_id": row["order_id"],
            "placed_at": from_millis(int(row["placed_ms"])).astimezone(self._context.zone),
            "confirmed_at": from_millis(int(row["confirmed_ms"])).astimezone(self._context.zone),
            "promised_at": self._context.local(promised_at),
            "is_overdue": promised_at is not None and promised_at < overdue_before,
            "units": int(row["units"]),
            "lines": [
                {
                    "product_id": product_id,
                    "label": names.get(product_id, UNNAMED).name,
                    "quantity": int(quantity),
                }
                for _, product_id, quantity in row["lines"]
            ],
        }
