"""What was listed or became cheaper lately, read from ClickHouse, and the row with it for a visitor."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime
from uuid import uuid4

import pytest
from redis import Redis

from common.configuration.values import SettingValues
from common.settings import Settings
from serving.clickhouse import ClickHouseQueries, load_queries
from serving.live_versions import LiveVersions
from serving.recommendations.recent_offers import RecentOffer, RecentOffers, recent_offers
from serving.recommendations.service import RecommendationService
from serving.redis_client import open_redis
from tests.integration.serving.conftest import TABLES, ask, insert, put, put_offers

NOW = datetime(2018, 3, 1, 12, tzinfo=UTC)
COLUMNS = ("event_id", "occurred_at", "product_id", "seller_id", "currency", "price_minor")
LONG_AGO, YESTERDAY, TODAY = (f"{day} 00:00:00.000" for day in ("2017-06-01", "2018-02-28", "2018-03-01"))
LISTED = [
    ("fresh", YESTERDAY, "ana", 900),
    ("gone", YESTERDAY, "ana", 900),
    ("empty", YESTERDAY, "ana", 900),
    ("dropped", LONG_AGO, "ana", 900),
    ("raised", LONG_AGO, "ana", 900),
    ("kept", LONG_AGO, "ana", 900),
    ("shared", LONG_AGO, "ana", 500),
    ("shared", LONG_AGO, "bob", 900),
]
CHANGED = [
    ("dropped", TODAY, "ana", 700),
    ("raised", TODAY, "ana", 950),
    ("kept", TODAY, "ana", 900),
    ("shared", TODAY, "bob", 800),
]


def seconds(at: str) -> float:
    return datetime.fromisoformat(at).replace(tzinfo=UTC).timestamp()


@pytest.fixture
def redis(shop: Settings) -> Iterator["Redis[str]"]:
    """Vases: some new, some with another price, one sold out, one delisted."""
    for table, rows in (("product_listed", LISTED), ("product_changed", CHANGED)):
        events = [[f"recent-{table}-{product}-{seller}", at, f"recent-{product}", seller, "BRL", price]
                  for product, at, seller, price in rows]  # fmt: skip
        put(shop, table, COLUMNS, events)
    put(shop, "product_delisted", COLUMNS[:4], [["recent-gone", TODAY, "recent-gone", "ana"]])
    current = {(product, seller): price for product, _, seller, price in (*LISTED, *CHANGED)}
    products = {product for product, _ in current}
    with Redis.from_url(shop.redis, decode_responses=True) as client:
        for product in products:
            offers = [
                {"seller_id": seller, "category": "recent_vases", "price_minor": price, "name": product,
                 "listed": int(product != "gone")}
                for (of_product, seller), price in current.items() if of_product == product
            ]  # fmt: skip
            stock = {"ana": 0 if product == "empty" else 5, "bob": 5}
            put_offers(client, f"recent-{product}", *offers, stock=stock)
        yield client
        client.delete(*(f"product:recent-{product}" for product in products))
    for table in ("product_listed", "product_changed", "product_delisted"):
        ask(shop, f"TRUNCATE TABLE {table}")
        if table in TABLES:
            insert(shop, table, TABLES[table][1])


async def read(shop: Settings) -> RecentOffers:
    redis = open_redis(shop)
    async with ClickHouseQueries(shop, load_queries()) as clickhouse:
        recent = recent_offers(clickhouse, LiveVersions(redis), SettingValues(), lambda: NOW)
        await recent.refresh()
    await redis.aclose()
    return recent.value


@pytest.mark.usefixtures("redis")
def test_new_products_and_lower_prices_are_read_if_the_card_shows_them(shop: Settings) -> None:
    found = asyncio.run(read(shop)).of_category["recent_vases"]

    assert found == [
        RecentOffer("recent-dropped", "cheaper", seconds(TODAY)),
        RecentOffer("recent-fresh", "new", seconds(YESTERDAY)),
    ]


def test_a_visitor_sees_what_changed_since_the_last_visit_and_was_not_seen_since(
    shop: Settings, redis: "Redis[str]"
) -> None:
    back, seen, present = (f"recent-{uuid4().hex[:12]}" for _ in range(3))
    last_week, just_now = seconds(TODAY) - 7 * 86_400, NOW.timestamp() - 60
    redis.zadd(f"recent:{back}", {"recent-kept": just_now, "recent-dropped": last_week})
    redis.zadd(f"recent:{seen}", {"recent-dropped": just_now, "recent-kept": last_week})
    redis.zadd(f"recent:{present}", {"recent-kept": just_now})

    async def rows() -> list[list[tuple[str, str]]]:
        recent = await read(shop)
        client = open_redis(shop)
        service = RecommendationService(LiveVersions(client), recent=lambda: recent, clock=lambda: NOW)
        answers = [await service.titled_rows.of_page(visitor, 6, "home") for visitor in (back, seen, present)]
        await client.aclose()
        return [
            [(item["product_id"], item["reason"]["text"]) for item in row["items"]]
            for answer in answers for row in answer["rows"] if row["title"] == "Since your last visit"
        ]  # fmt: skip

    found = asyncio.run(rows())

    redis.delete(*(f"recent:{visitor}" for visitor in (back, seen, present)))
    new = ("recent-fresh", "New in the shop")
    assert found == [[("recent-dropped", "Price lowered"), new], [new]]
