"""The context that analytics services share: stores, clock, currency, time zone, and lookups of sellers."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from common.clock import Clock
from serving.kit.clickhouse import ClickHouseQueries, Row
from serving.kit.live_versions import LiveVersions
from serving.kit.names import Names, ProductName
from serving.kit.newest_entries import put_newest
from serving.kit.periods import Grain, Period, choose_period
from serving.kit.problems import UNKNOWN_SELLER
from serving.kit.watermarks import WatermarkCache

MAX_SPANS = 10_000
"""The number of sellers whose spans are cached: about 4 MB."""


@dataclass(frozen=True, slots=True)
class PeriodRequest:
    """The requested period and grain. None means the default."""

    start: str | None = None
    end: str | None = None
    grain: Grain | None = None

    @property
    def is_open(self) -> bool:
        """Whether no bound is given."""
        return self.start is None and self.end is None


class SalesSpan(NamedTuple):
    """The minutes of the first and of the newest sale (UTC text); None without sales."""

    first: str | None
    newest: str | None

    @classmethod
    def of(cls, row: Row | None) -> "SalesSpan":
        """Return the span of a row with `first_minute` and `newest_minute`."""
        return cls(row["first_minute"], row["newest_minute"]) if row else cls(None, None)


@dataclass(frozen=True, slots=True)
class AnalyticsContext:
    """The stores and settings of the services. A service reads `as_of` before it reads the figures."""

    zone: ZoneInfo
    currency: str
    clickhouse: ClickHouseQueries
    versions: LiveVersions
    names: Names
    watermarks: WatermarkCache
    clock: Clock
    _spans: dict[str, SalesSpan] = field(default_factory=dict, init=False)
    """Seller → the span of sales at the last lookup. Has at most `MAX_SPANS` sellers, all with sales."""

    async def registered_seller(self, seller_id: str) -> Row | None:
        """Return the name, place and registration time (UTC text) of a seller; None if never registered."""
        return await self.clickhouse.row("seller", seller_id=seller_id)

    async def seller_span(self, seller_id: str) -> SalesSpan:
        """Look up when a seller first and last sold something."""
        span = SalesSpan.of(await self.clickhouse.row("seller_span", seller_id=seller_id))
        if span.newest is not None:
            put_newest(self._spans, seller_id, span, MAX_SPANS)
        return span

    def cached_span(self, seller_id: str) -> SalesSpan | None:
        """Return the span of the last lookup; None if the seller was not looked up or had sold nothing."""
        return self._spans.get(seller_id)

    async def require_seller(self, seller_id: str, rows: Sequence[Row]) -> None:
        """Check that a seller exists. `rows` is the result of the seller's query: a seller with rows exists.

        Call it after the query, so that an invalid parameter is reported before an unknown seller.

        Raises:
            UNKNOWN_SELLER: the seller never registered and never sold anything.
        """
        exists = rows or seller_id in self._spans or await self.registered_seller(seller_id)
        if not exists and (await self.seller_span(seller_id)).newest is None:
            raise UNKNOWN_SELLER(seller_id=seller_id)

    async def seller_period(self, seller_id: str, requested: PeriodRequest) -> Period:
        """Return the requested period. Without an end, it ends with the day of the seller's newest sale."""
        newest = None if requested.end is not None else (await self.seller_span(seller_id)).newest
        return self.period(requested, newest)

    async def marketplace_span(self) -> SalesSpan:
        """Look up when the whole marketplace first and last sold something."""
        return SalesSpan.of(await self.clickhouse.row("marketplace_span"))

    async def marketplace_period(self, requested: PeriodRequest) -> Period:
        """Return the requested period. Without an end, it ends with the day of the newest sale."""
        newest = None if requested.end is not None else (await self.marketplace_span()).newest
        return self.period(requested, newest)

    def period(self, requested: PeriodRequest, newest_minute: str | None) -> Period:
        """Return the requested period. Without an end, it ends with the day of the newest sale."""
        newest = utc_minute(newest_minute) or self.clock()
        return choose_period(requested.start, requested.end, newest, self.zone)

    async def product_names(self, product_ids: Iterable[str]) -> dict[str, ProductName]:
        """Return product → name and category, of those that are known."""
        products = sorted(set(product_ids))
        return await self.names.of_products(products) if products else {}

    def local(self, moment: datetime | None) -> datetime | None:
        """Return a moment in the shop's time zone."""
        return moment.astimezone(self.zone) if moment else None


def utc_minute(text: str | None) -> datetime | None:
    """Parse ClickHouse's text of a UTC DateTime."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC) if text else None
