"""Which products may get a drawn place: new ones and those of small sellers, a few of each, if for sale."""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from redis import Redis

from clickhouse.query_files import load_queries
from common.configuration.recommendation_rules import EXPOSURE_SHARE, SMALL_SELLER_UNITS
from common.configuration.values import SettingValue, SettingValues
from common.settings import Settings
from serving.kit.clickhouse import ClickHouseQueries
from serving.kit.live_versions import LiveVersions
from serving.kit.redis_client import open_redis
from serving.recommendations.rules.context import ExposurePool
from serving.recommendations.rules.shop_rules import OF_SELLER, products_for_exposure
from tests.integration.serving.conftest import TABLES, ask, insert, put, put_offers

NOW = datetime(2018, 3, 1, 12, tzinfo=UTC)
LISTED = ("event_id", "occurred_at", "product_id", "seller_id", "currency")
LONG_AGO, JUST_NOW = "2017-06-01 00:00:00.000", "2018-02-28 00:00:00.000"
OFFERS = [
    ("new", JUST_NOW, "big"),
    ("old", LONG_AGO, "big"),
    ("sold-out", JUST_NOW, "big"),
    ("delisted", JUST_NOW, "big"),
    *((f"small{number}", LONG_AGO, "small") for number in range(9)),
    ("quiet", LONG_AGO, "quiet"),
]


@pytest.fixture(autouse=True)
def listed(shop: Settings, add: Callable[[str, list[Any]], None]) -> Iterator[None]:
    """A seller that sold 30 units this month, one that sold 20, and one that sold nothing."""
    rows = [[f"exposure-{each}", at, each, seller, "BRL"] for each, at, seller in OFFERS]
    put(shop, "product_listed", LISTED, rows)
    gone = [["exposure-gone", "2018-02-28 01:00:00.000", "delisted", "big"]]
    put(shop, "product_delisted", LISTED[:4], gone)
    for seller, units in (("big", 30), ("small", 20)):
        add("seller_sales_minute", [seller, "2018-02-20 12:00:00", "BRL", 1, 1, units, 900, 0, 0, 0, 0, 0, 0])
    with Redis.from_url(shop.redis) as redis:
        for each, _, seller in OFFERS:
            stock = {seller: 0 if each == "sold-out" else 5}
            put_offers(redis, each, {"seller_id": seller, "price_minor": 900}, stock=stock)
        yield
        redis.delete(*(f"product:{each}" for each, _, _ in OFFERS))
    for table in ("product_listed", "product_delisted"):
        ask(shop, f"TRUNCATE TABLE {table}")
    insert(shop, "product_listed", TABLES["product_listed"][1])


def drawn(shop: Settings, at: datetime = NOW, **changed: Any) -> list[str]:
    """Return the products for exposure among those of this test, in their order."""
    return [each for each in pool_of(shop, at, **changed).all if each in {each for each, _, _ in OFFERS}]


def pool_of(shop: Settings, at: datetime = NOW, **changed: Any) -> ExposurePool:
    """Return the pool that a process reads."""
    values = SettingValues()
    values.update({name: SettingValue(1, value) for name, value in changed.items()})

    async def read() -> ExposurePool:
        redis = open_redis(shop)
        for stored in await redis.keys("shared_rows:*"):
            await redis.delete(stored)
        async with ClickHouseQueries(shop, load_queries()) as clickhouse:
            pool = products_for_exposure(clickhouse, LiveVersions(redis), values, lambda: at)
            await pool.refresh()
        await redis.aclose()
        return pool.value

    return asyncio.run(read())


def test_new_products_and_those_of_small_sellers_are_drawn_a_few_of_each(shop: Settings) -> None:
    found = drawn(shop)

    kinds = Counter(each.rstrip("0123456789") for each in found)
    assert kinds == {"new": 1, "quiet": 1, "small": OF_SELLER}


def test_the_settings_say_who_is_small_and_whether_anything_is_drawn(shop: Settings) -> None:
    strict = drawn(shop, **{SMALL_SELLER_UNITS.name: 19})
    assert set(strict) == {"new", "quiet"}
    assert drawn(shop, **{EXPOSURE_SHARE.name: 0.0}) == []
    assert "old" in drawn(shop, **{SMALL_SELLER_UNITS.name: 30})


def test_the_order_is_another_one_every_hour_and_the_same_within_it(shop: Settings) -> None:
    assert drawn(shop) == drawn(shop, NOW + timedelta(minutes=59))
    assert len({tuple(drawn(shop, NOW + timedelta(hours=hour))) for hour in range(4)}) > 1


def test_what_was_listed_within_the_hour_is_apart_the_newest_of_each_seller_first(shop: Settings) -> None:
    minutes = (9, 50, 20, 30, 40, 10, 59, 61)
    products = [f"hot{number}" for number in minutes]
    at = [NOW - timedelta(minutes=number) for number in minutes]
    rows = [[f"exposure-{product}", f"{moment:%Y-%m-%d %H:%M:%S}.000", product, "big", "BRL"]
            for product, moment in zip(products, at, strict=True)]  # fmt: skip
    put(shop, "product_listed", LISTED, rows)
    with Redis.from_url(shop.redis) as redis:
        for product in products:
            put_offers(redis, product, {"seller_id": "big", "price_minor": 900}, stock={"big": 5})

        found = pool_of(shop)

        redis.delete(*(f"product:{product}" for product in products))
    assert found.newest == ("hot9", "hot10", "hot20", "hot30", "hot40")
    assert {"new", "hot61"} <= set(found.others)
    assert not set(found.newest) & set(found.others)
