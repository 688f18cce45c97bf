"""What was listed or became cheaper lately, read from ClickHouse, and the row with it for a visitor."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime
from uuid import uuid4

import pytest
from redis import Redis

from clickhouse.query_files import load_queries
from common.configuration.recommendation_rules import CONSUMABLE_CATEGORIES
from common.configuration.values import SettingValue, SettingValues
from common.settings import Settings
from serving.kit.clickhouse import ClickHouseQueries
from serving.kit.live_versions import LiveVersions
from serving.kit.redis_client import open_redis
from serving.kit.shared_queries import SharedQueries
from serving.recommendations.recent_offers import RecentOffer, RecentOffers, recent_offers
from serving.recommendations.repurchase import Median, RepurchaseIntervals, repurchase_intervals
from serving.recommendations.service import RecommendationService
from tests.integration.serving.conftest import TABLES, ask, clear, insert, put, put_offers

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
    for stored in await redis.keys("shared_rows:*"):
        await redis.delete(stored)
    async with ClickHouseQueries(shop, load_queries()) as clickhouse:
        recent = recent_offers(clickhouse, LiveVersions(redis), SettingValues(), lambda: NOW)
        await recent.refresh()
    await redis.aclose()
    return recent.value


@pytest.mark.usefixtures("redis")
def test_new_products_and_lower_prices_are_read_if_the_card_shows_them(shop: Settings) -> None:
    found = asyncio.run(read(shop))

    fresh = RecentOffer("recent-fresh", "new", seconds(YESTERDAY))
    assert found.of_category["recent_vases"] == [
        RecentOffer("recent-dropped", "cheaper", seconds(TODAY)),
        fresh,
    ]
    assert found.of_seller["ana"] == [fresh]


@pytest.mark.usefixtures("redis")
def test_who_follows_a_seller_sees_what_they_listed(shop: Settings) -> None:
    async def rows(*followed: str) -> list[tuple[str, list[str]]]:
        recent = await read(shop)
        client = open_redis(shop)
        service = RecommendationService(LiveVersions(client), recent=lambda: recent, clock=lambda: NOW)
        answer = await service.titled_rows.of_page("recent-nobody", 6, "home", followed=frozenset(followed))
        await client.aclose()
        return [(row["title"], [item["product_id"] for item in row["items"]]) for row in answer["rows"]]

    assert asyncio.run(rows("ana")) == [("New from sellers you follow", ["recent-fresh"])]
    assert asyncio.run(rows("bob")) == asyncio.run(rows()) == []


def test_a_product_is_back_once_any_seller_has_units_after_all_had_none(
    shop: Settings, redis: "Redis[str]"
) -> None:
    columns = ("event_id", "occurred_at", "product_id", "seller_id", "on_hand", "reserved", "version")
    states = {  # (day of February, on hand, reserved) in the order of versions
        ("back", "ana"): [(1, 5, 0), (24, 5, 5), (26, 9, 5)], ("back", "bob"): [(2, 0, 0)],
        ("out", "ana"): [(1, 5, 0), (25, 0, 0)],
        ("other", "ana"): [(1, 5, 0), (24, 0, 0), (26, 9, 0)], ("other", "bob"): [(1, 2, 0)],
        ("new", "ana"): [(25, 5, 0)],
        ("long-out", "ana"): [(1, 0, 0), (26, 3, 0), (27, 3, 3), (28, 3, 1)],
    }  # fmt: skip
    rows = [
        [f"back-{product}-{seller}-{version}", f"2018-02-{day:02} 00:00:00.000", f"recent-{product}",
         seller, on_hand, reserved, version]
        for (product, seller), changes in states.items()
        for version, (day, on_hand, reserved) in enumerate(changes, 1)
    ]  # fmt: skip
    put(shop, "stock_changed", columns, [*rows, *rows])
    offer = {"seller_id": "ana", "category": "recent_pots", "price_minor": 9, "name": "Pot"}
    put_offers(redis, "recent-back", offer, stock={"ana": 4, "bob": 0})
    visitor, at = f"recent-{uuid4().hex[:12]}", seconds("2018-02-25")
    redis.zadd(f"recent:{visitor}", {"recent-back": at, "recent-long-out": seconds("2018-02-28 06:00:00")})

    recent = asyncio.run(read(shop))

    async def since() -> list[tuple[str, str]]:
        client = open_redis(shop)
        service = RecommendationService(LiveVersions(client), recent=lambda: recent, clock=lambda: NOW)
        answer = await service.titled_rows.of_page(visitor, 6, "home")
        await client.aclose()
        return [(item["product_id"], item["reason"]["text"]) for item in answer["rows"][0]["items"]]

    assert {product: offer.at_s for product, offer in recent.back.items()} == {
        "recent-back": seconds("2018-02-26"),
        "recent-long-out": seconds("2018-02-28"),
    }
    redis.zadd(f"recent:{visitor}", {"recent-long-out": seconds("2018-02-25 01:00:00")})
    assert ("recent-back", "Back in stock") in asyncio.run(since())
    redis.delete(f"recent:{visitor}", "product:recent-back")
    ask(shop, "TRUNCATE TABLE stock_changed")


def test_the_usual_interval_is_the_median_over_all_shoppers(shop: Settings) -> None:
    columns = ("seller_id", "placed_at", "order_id", "line_number", "shopper_id", "product_id")
    bought = {  # days of January on which each shopper bought; the last order of "c" is cancelled
        ("recent-beans", "a"): (1, 1, 11, 31), ("recent-beans", "b"): (1, 5), ("recent-beans", "c"): (2, 3),
        ("recent-tea", "a"): (1, 15), ("recent-chair", "a"): (1, 2),
    }  # fmt: skip
    lines = [
        ["ana", f"2018-01-{day:02} 10:00:00.000", f"again-{product}-{shopper}-{place}", 1, shopper, product]
        for (product, shopper), days in bought.items()
        for place, day in enumerate(days)
    ]
    listed = [
        [f"again-{product}", LONG_AGO, product, "ana", "BRL", 900, category]
        for product, category in (
            ("recent-beans", "Café"),
            ("recent-tea", "Café"),
            ("recent-chair", "Chairs"),
        )
    ]
    put(shop, "order_lines", columns, lines)
    put(shop, "product_listed", (*COLUMNS, "category"), listed)
    cancelled = ["again-cancelled", "2018-01-04 00:00:00.000", "again-recent-beans-c-1"]
    put(shop, "order_cancelled", ("event_id", "occurred_at", "order_id"), [cancelled])
    values = SettingValues()
    values.update({CONSUMABLE_CATEGORIES.name: SettingValue(1, ["Café"])})

    async def read_intervals() -> RepurchaseIntervals:
        async with ClickHouseQueries(shop, load_queries()) as clickhouse, open_redis(shop) as redis:
            intervals = repurchase_intervals(SharedQueries(clickhouse, redis), values, lambda: NOW)
            await intervals.refresh()
            return intervals.value

    found = asyncio.run(read_intervals())

    for table in ("order_lines", "product_listed", "order_cancelled"):
        clear(shop, table)
        if table in TABLES:
            insert(shop, table, TABLES[table][1])
    assert found.of_product == {"recent-beans": Median(10.0, 3), "recent-tea": Median(14.0, 1)}
    assert found.of_category["café"].purchases_again == 4
    assert found.of_category.keys() == {"café"}


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
