"""Returns the signals of a seller or of the whole marketplace, page by page."""

from dataclasses import dataclass

from common.signals import SignalKind
from serving.analytics.presenters import signals as presenter
from serving.analytics.schemas.signals import SellerSignals, Signals
from serving.analytics.service.orders import ALL_TIME
from serving.kit.analytics_context import AnalyticsContext, PeriodRequest
from serving.kit.clickhouse import Row, Value

SIGNAL_TABLES = ("signals",)


@dataclass(frozen=True, slots=True)
class SignalsRequest:
    """Which signals are requested: those raised in a period, of one kind or of all; a page of them."""

    period: PeriodRequest
    kind: SignalKind | None = None
    cursor: str | None = None
    limit: int = 20


class SignalsService:
    """Returns signals, the newest first. Without a period, all of them are listed."""

    def __init__(self, context: AnalyticsContext) -> None:
        self._context = context

    async def of_seller(self, seller_id: str, request: SignalsRequest) -> SellerSignals:
        """Return a page of a seller's signals.

        Raises:
            UNKNOWN_SELLER: the seller never registered and never sold anything.
        """
        as_of = await self._context.watermarks.as_of(SIGNAL_TABLES)
        parameters = self._parameters(request)
        del parameters["before_seller_id"]
        rows = await self._context.clickhouse.rows("seller_signals", seller_id=seller_id, **parameters)
        await self._context.require_seller(seller_id, rows)
        page = await self._page(rows, request.limit)
        return {"seller_id": seller_id, **page, "as_of": self._context.local(as_of)}

    async def of_marketplace(self, request: SignalsRequest) -> Signals:
        """Return a page of the signals of all sellers, and of those that concern no single seller."""
        as_of = await self._context.watermarks.as_of(SIGNAL_TABLES)
        rows = await self._context.clickhouse.rows("marketplace_signals", **self._parameters(request))
        return {**await self._page(rows, request.limit), "as_of": self._context.local(as_of)}

    def _parameters(self, request: SignalsRequest) -> dict[str, Value]:
        """Return the parameters of the query. A period without an end ends with the present day."""
        is_open = request.period.is_open
        period = ALL_TIME if is_open else self._context.period(request.period, newest_minute=None)
        before_at, signal_id, seller_id = (
            presenter.read_signal_cursor(request.cursor) if request.cursor else (period.end, "", "")
        )
        return {
            "period_start": period.start,
            "period_end": period.end,
            "before_at": before_at,
            "before_signal_id": signal_id,
            "before_seller_id": seller_id,
            "kind": request.kind or "",
            "limit": request.limit + 1,
        }

    async def _page(self, rows: list[Row], limit: int) -> Signals:
        more, rows = len(rows) > limit, rows[:limit]
        names = await self._context.product_names(presenter.products_of(rows))
        shown = [presenter.signal(row, names, self._context.zone) for row in rows]
        return {
            "signals": shown,
            "next_cursor": presenter.signal_cursor(shown[-1]) if more else None,
            "as_of": None,
            "stale": False,
        }
