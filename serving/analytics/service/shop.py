"""What all services share: the stores, the clock, the shop's currency and time zone, and its sellers."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from redis.asyncio import Redis

from common.clock import Clock
from serving.analytics.periods import Grain, Period, choose_period
from serving.analytics.products import Listing
from serving.analytics.progress import Progress
from serving.clickhouse import ClickHouse, Row
from serving.problems import RedisUnavailable, UnknownSeller
from serving.products import Cards
from serving.redis_client import SOON_S


@dataclass(frozen=True, slots=True)
class Asked:
    """The part of a request that chooses a period; None is left to us."""

    start: str | None = None
    end: str | None = None
    grain: Grain | None = None

    @property
    def is_open(self) -> bool:
        """Whether the period is left to us."""
        return self.start is None and self.end is None


class Span(NamedTuple):
    """The first and the newest minute of sale (UTC text); None without sales."""

    first: str | None
    newest: str | None

    @classmethod
    def of(cls, row: Row | None) -> "Span":
        """That of a row with `first_minute` and `newest_minute`."""
        return cls(row["first_minute"], row["newest_minute"]) if row else cls(None, None)


@dataclass(frozen=True, slots=True)
class Shop:
    """The shop and where its figures are. Services read `as_of` before the figures it vouches for."""

    zone: ZoneInfo
    currency: str
    clickhouse: ClickHouse
    redis: Redis
    progress: Progress
    clock: Clock
    _seen: dict[str, Span] = field(default_factory=dict, init=False)
    """Sellers who had sold something when they were looked up → when."""

    async def registered(self, seller_id: str) -> Row | None:
        """What a seller is called, where they are, and since when (UTC text); None if never registered."""
        return await self.clickhouse.row("seller", seller_id=seller_id)

    async def sold(self, seller_id: str) -> Span:
        """When a seller sold something."""
        span = Span.of(await self.clickhouse.row("seller_span", seller_id=seller_id))
        if span.newest is not None:
            self._seen[seller_id] = span
        return span

    def seen(self, seller_id: str) -> Span | None:
        """When a seller had sold something when it was looked up last; None for one of whom it was not."""
        return self._seen.get(seller_id)

    async def check(self, seller_id: str, rows: Sequence[Row]) -> None:
        """Look a seller up of whom a query told nothing: whom it told of, there is.

        It comes after the query, so what is wrong with a request is told before that there is no such seller.

        Raises:
            UnknownSeller: neither registered nor seen in a sale.
        """
        known = rows or seller_id in self._seen or await self.registered(seller_id)
        if not known and (await self.sold(seller_id)).newest is None:
            raise UnknownSeller(seller_id)

    async def sellers_period(self, seller_id: str, asked: Asked) -> Period:
        """The period that was asked of a seller; what is left open ends with their newest sale."""
        newest = None if asked.end is not None else (await self.sold(seller_id)).newest
        return self.period(asked, newest)

    async def span(self) -> Span:
        """When the whole marketplace sold something."""
        return Span.of(await self.clickhouse.row("marketplace_span"))

    async def listings(self, product_ids: list[str]) -> dict[str, Listing]:
        """Name and category of these products, where they are known.

        Redis has them ready: a query of ClickHouse costs 10 ms of CPU. What it lacks is asked of ClickHouse.
        """
        try:
            cards = await Cards(self.redis).read(product_ids, SOON_S)
        except RedisUnavailable:
            cards = {}
        found: dict[str, Listing] = {
            product_id: (card.name, card.category) for product_id, card in cards.items() if card.category
        }
        if missing := [product_id for product_id in product_ids if product_id not in found]:
            rows = await self.clickhouse.rows("products", product_ids=missing)
            found |= {row["product_id"]: (row["name"], row["category"]) for row in rows}
        return found

    def period(self, asked: Asked, newest_minute: str | None) -> Period:
        """The period that was asked; what is left open ends with the newest sale."""
        newest = utc_minute(newest_minute) or self.clock()
        return choose_period(asked.start, asked.end, newest, self.zone)

    def newest_days(self, newest: datetime) -> Period:
        """The period of whoever sold something on that day and left the period open."""
        return choose_period(None, None, newest, self.zone)

    def local(self, moment: datetime | None) -> datetime | None:
        """A moment in the shop's time zone."""
        return moment.astimezone(self.zone) if moment else None


def utc_minute(text: str | None) -> datetime | None:
    """Read ClickHouse's text of a UTC DateTime."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC) if text else None
