"""Answers what sellers, analysts and pages ask: chooses the period, runs the queries, shapes the rows."""

import asyncio
import unicodedata
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from redis.asyncio import Redis

from common.clock import Clock
from common.settings import Settings
from serving.analytics import orders as order_pages
from serving.analytics import products as lists
from serving.analytics import sales as shape
from serving.analytics.periods import Grain, Period, buckets, choose_grain, choose_period, previous_period
from serving.analytics.popular import HALF_LIFE_DAYS, Ranking, ranking
from serving.analytics.products import Listing
from serving.analytics.progress import Progress
from serving.analytics.schemas import (
    MarketplaceSales,
    Orders,
    PopularProducts,
    Previous,
    Sellers,
    SellerSales,
    TopProducts,
)
from serving.clickhouse import ClickHouse, Row, Value
from serving.problems import UnknownSeller

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
EVER = Period(EPOCH, datetime(2105, 1, 1, tzinfo=UTC))

SELLER_TABLES = ("seller_sales_minute", "seller_cancellations_minute")
MARKETPLACE_TABLES = ("marketplace_sales_minute", "marketplace_cancellations_minute", "payments_minute")
ORDER_TABLES = ("order_lines", "order_state")


@dataclass(frozen=True, slots=True)
class Asked:
    """The part of a request that chooses a period; None is left to us."""

    start: str | None = None
    end: str | None = None
    grain: Grain | None = None


class Analytics:
    """Every figure that is served. `as_of` is always read before the figures it vouches for."""

    def __init__(
        self, settings: Settings, clickhouse: ClickHouse, redis: Redis, progress: Progress, clock: Clock
    ) -> None:
        self.zone = settings.timezone
        self.currency = settings.shop_currency
        self.progress = progress
        self._clickhouse = clickhouse
        self._redis = redis
        self._clock = clock

    async def seller(self, seller_id: str) -> Row:
        """A seller's name, place, and first and newest minute of sale (UTC text; None without sales).

        Raises:
            UnknownSeller: neither registered nor seen in a sale.
        """
        row = await self._clickhouse.row("seller", seller_id=seller_id)
        if row is None:
            raise UnknownSeller(seller_id)
        return row

    async def seller_sales(self, seller_id: str, asked: Asked) -> SellerSales:
        """What a seller sold, against the period before."""
        as_of = await self.progress.as_of(SELLER_TABLES)
        seller = await self.seller(seller_id)
        period = self._period(asked, seller["newest_minute"])
        before, grain, parameters = self._plan(period, asked.grain)
        sold, cancelled = await self._clickhouse.together(
            ("seller_sales", {"seller_id": seller_id, **parameters}),
            ("seller_cancellations", {"seller_id": seller_id, **parameters}),
        )
        now, then = (
            self._sales(when, grain, sold, cancelled, current=current)
            for when, current in ((period, True), (before, False))
        )
        return {
            "seller_id": seller_id,
            "currency": self.currency,
            "timezone": self.zone.key,
            "grain": grain,
            "period": now["period"],
            "totals": now["totals"],
            "change": shape.changes(now["totals"], then["totals"]),
            "series": now["series"],
            "previous": then,
            "as_of": self._local(as_of),
        }

    async def marketplace_sales(self, asked: Asked) -> MarketplaceSales:
        """What all sellers sold, against the period before."""
        as_of = await self.progress.as_of(MARKETPLACE_TABLES)
        period = self._period(asked, (await self.marketplace_span())["newest_minute"])
        before, grain, parameters = self._plan(period, asked.grain)
        spans = {name: value for name, value in parameters.items() if name not in ("grain", "timezone")}
        sold, cancelled, paid, active = await self._clickhouse.together(
            ("marketplace_sales", parameters),
            ("marketplace_cancellations", parameters),
            ("marketplace_payments", spans),
            ("marketplace_sellers", spans),
        )
        now, then = (
            self._sales(when, grain, sold, cancelled, current=current)
            for when, current in ((period, True), (before, False))
        )
        totals, totals_before = (
            shape.marketplace_totals(part["totals"], paid, active, current=current)
            for part, current in ((now, True), (then, False))
        )
        return {
            "currency": self.currency,
            "timezone": self.zone.key,
            "grain": grain,
            "period": now["period"],
            "totals": totals,
            "change": shape.marketplace_changes(totals, totals_before),
            "series": now["series"],
            "previous": {"period": then["period"], "totals": totals_before, "series": then["series"]},
            "as_of": self._local(as_of),
        }

    async def marketplace_span(self) -> Row:
        """The first and newest minute of sale of the whole marketplace (UTC text; None without sales)."""
        return await self._clickhouse.row("marketplace_span") or {"first_minute": None, "newest_minute": None}

    async def top_products(
        self, seller_id: str, asked: Asked, by: Literal["revenue", "units", "orders"], limit: int
    ) -> TopProducts:
        """A seller's best products of a period."""
        as_of = await self.progress.as_of(("product_sales_minute",))
        seller = await self.seller(seller_id)
        period = self._period(asked, seller["newest_minute"])
        rows = await self._clickhouse.rows(
            "seller_products",
            seller_id=seller_id,
            currency=self.currency,
            period_start=period.start,
            period_end=period.end,
            by=by,
            limit=limit,
        )
        listings = await self._listings([row["product_id"] for row in rows])
        return {
            "seller_id": seller_id,
            "currency": self.currency,
            "by": by,
            "period": shape.show_period(period, self.zone),
            "products": [lists.product(row, listings) for row in rows],
            "as_of": self._local(as_of),
        }

    async def orders(self, seller_id: str, asked: Asked, cursor: str | None, limit: int) -> Orders:
        """A page of a seller's orders, newest first: of all time, unless a period is asked."""
        as_of = await self.progress.as_of(ORDER_TABLES)
        seller = await self.seller(seller_id)
        whole = asked.start is None and asked.end is None
        period = EVER if whole else self._period(asked, seller["newest_minute"])
        before_at, before_order_id = order_pages.read_cursor(cursor) if cursor else (period.end, "")
        if before_at > period.end:
            before_at, before_order_id = period.end, ""
        rows = await self._clickhouse.rows(
            "seller_orders",
            seller_id=seller_id,
            period_start=period.start,
            before_at=before_at,
            before_order_id=before_order_id,
            limit=limit + 1,
        )
        more, rows = len(rows) > limit, rows[:limit]
        listings, states = await asyncio.gather(
            self._listings(order_pages.product_ids(rows)), self._states([row["order_id"] for row in rows])
        )
        shown = [order_pages.order(row, states.get(row["order_id"], {}), listings, self.zone) for row in rows]
        return {
            "seller_id": seller_id,
            "orders": shown,
            "next_cursor": order_pages.write_cursor(shown[-1]["placed_at"], shown[-1]["order_id"])
            if more
            else None,
            "as_of": self._local(as_of),
        }

    async def popular(self, name: Ranking, n: int) -> PopularProducts:
        """The marketplace's ranking of that name."""
        ranked = await ranking(self._redis, name, n)
        listings = await self._listings([product_id for product_id, _ in ranked])
        return {
            "ranking": name,
            "half_life_days": HALF_LIFE_DAYS[name],
            "products": lists.popular(ranked, listings),
        }

    async def find_sellers(self, asked: str, limit: int) -> Sellers:
        """Sellers whose id begins with, whose state is, or whose name or city holds `asked`."""
        decomposed = unicodedata.normalize("NFD", asked.strip().lower())
        plain = "".join(letter for letter in decomposed if not unicodedata.combining(letter))
        rows = await self._clickhouse.rows("sellers", asked=plain, currency=self.currency, limit=limit)
        return {"currency": self.currency, "sellers": [lists.seller_found(row) for row in rows]}

    def now(self) -> datetime:
        """Now, by the clock that everything here goes by."""
        return self._clock()

    def _period(self, asked: Asked, newest_minute: str | None) -> Period:
        newest = utc_minute(newest_minute) or self._clock()
        return choose_period(asked.start, asked.end, newest, self.zone)

    def _plan(self, period: Period, asked: Grain | None) -> tuple[Period, Grain, dict[str, Value]]:
        grain = asked or choose_grain(period)
        buckets(period, grain, self.zone)  # refuses a series that would be too long before anything is run
        before = previous_period(period, self.zone)
        return (
            before,
            grain,
            {
                "currency": self.currency,
                "previous_start": max(before.start, EPOCH),
                "period_start": period.start,
                "period_end": period.end,
                "grain": grain,
                "timezone": self.zone.key,
            },
        )

    def _sales(
        self, period: Period, grain: Grain, sold: list[Row], cancelled: list[Row], *, current: bool
    ) -> Previous:
        sold_here = [row for row in sold if bool(int(row["is_current"])) is current]
        cancelled_here = [row for row in cancelled if bool(int(row["is_current"])) is current]
        starts = buckets(period, grain, self.zone)
        return {
            "period": shape.show_period(period, self.zone),
            "totals": shape.totals(sold_here, cancelled_here),
            "series": shape.series(sold_here, cancelled_here, starts, period, self.zone),
        }

    async def _listings(self, product_ids: list[str]) -> dict[str, Listing]:
        if not product_ids:
            return {}
        rows = await self._clickhouse.rows("products", product_ids=product_ids)
        return {row["product_id"]: (row["name"], row["category"]) for row in rows}

    async def _states(self, order_ids: list[str]) -> dict[str, Row]:
        if not order_ids:
            return {}
        rows = await self._clickhouse.rows("order_states", order_ids=order_ids)
        return {row["order_id"]: row for row in rows}

    def _local(self, moment: datetime | None) -> datetime | None:
        return moment.astimezone(self.zone) if moment else None


def utc_minute(text: str | None) -> datetime | None:
    """Read ClickHouse's text of a UTC DateTime."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC) if text else None
