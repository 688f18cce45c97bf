"""The audit of recommendations, with members that have expired after a month."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest
from redis import Redis

from audit.connect import stores
from audit.run import compare_once
from clickhouse.client import connect
from common.settings import Settings
from local.parts import redis as local_redis
from tests.integration.metric_tables import emptied
from tests.integration.servers import running

NEW = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
OLD = NEW - timedelta(days=40)
EVENT = ["event_id", "occurred_at", "ingested_at", "shopper_id"]
VIEWS = [
    [f"{session}-{product}", at, at, shopper, session, product]
    for shopper, session, product, at in [
        ("ann", "s", "lamp", OLD), ("ann", "s", "rug", OLD),
        ("ann", "t", "rug", NEW), ("ann", "t", "vase", NEW), (None, "u", "cup", NEW),
    ]
]  # fmt: skip
ORDERS = [
    [f"{order}-placed", at, at, "ann", order, [(1, product, "bob", 1, 100, 0, 0, 0, 0, None, None, None)]]
    for order, product, at in [("o1", "lamp", OLD), ("o2", "rug", NEW)]
]
GOES_WITH = 2 ** ((NEW.timestamp() - 1_451_606_400) / (14 * 86_400))
KEPT = {
    "recent:ann": {"rug": NEW.timestamp(), "vase": NEW.timestamp()},
    "bought:ann": {"rug": NEW.timestamp() + 0.5},
    "similar:rug": {"vase": GOES_WITH},
    "similar:vase": {"rug": GOES_WITH},
}
"""The sets after all members older than a month have expired."""

OF_OLD = {
    "recent:ann": {"lamp": OLD.timestamp()},
    "bought:ann": {"lamp": OLD.timestamp()},
    "similar:rug": {"lamp": GOES_WITH * 2 ** (-40 / 14)},
    "similar:lamp": {"rug": GOES_WITH * 2 ** (-40 / 14)},
}


@pytest.fixture(scope="module")
def shop(migrated_database: Settings, settings: Settings) -> Iterator[Settings]:
    """The facts of ann's views and orders of 40 days ago and of today, which is paid, and an empty Redis."""
    shop = emptied(migrated_database).model_copy(update={"redis_url": settings.redis})
    with connect(shop, admin=True) as client:
        client.insert("product_viewed", VIEWS, column_names=[*EVENT, "session_id", "product_id"])
        client.insert("order_placed", ORDERS, column_names=[*EVENT, "order_id", "lines"])
        confirmed = [["o2-confirmed", *ORDERS[1][1:]]]
        client.insert("order_confirmed", confirmed, column_names=[*EVENT, "order_id", "lines"])
    with running(local_redis.part(settings), settings):
        yield shop


def verdicts(shop: Settings, *kept: dict[str, dict[str, float]]) -> list[str]:
    with Redis.from_url(shop.redis) as redis:
        redis.flushdb()
        for sets in kept:
            for key, members in sets.items():
                redis.zadd(key, members)
    with stores(shop, None, lambda *_: None) as opened:
        return [found.verdict for found in compare_once("facts_vs_recommendations", opened)][:3]


def test_members_older_than_a_month_may_have_expired_or_not(shop: Settings) -> None:
    assert verdicts(shop, KEPT) == ["agree"] * 3
    assert verdicts(shop, KEPT, OF_OLD) == ["agree"] * 3


def test_newer_members_that_are_missing_are_found(shop: Settings) -> None:
    lost = {key: dict(list(members.items())[1:]) for key, members in KEPT.items()}
    assert verdicts(shop, {key: members for key, members in lost.items() if members}) == ["differ"] * 3


def test_members_that_no_fact_explains_are_found(shop: Settings) -> None:
    ghosts = {key: {"ghost": 1.0} for key in ("recent:ann", "bought:ann", "similar:rug")}
    assert verdicts(shop, KEPT, ghosts) == ["differ"] * 3


def test_a_purchase_that_is_not_marked_as_paid_is_found(shop: Settings) -> None:
    unpaid = {"bought:ann": {"rug": NEW.timestamp()}}
    assert verdicts(shop, KEPT | unpaid) == ["agree", "agree", "differ"]


def test_an_offer_has_the_attributes_and_the_group_of_its_newest_listing(shop: Settings) -> None:
    columns = [
        "event_id",
        "occurred_at",
        "product_id",
        "seller_id",
        "currency",
        "price_minor",
        "group_id",
        "attributes",
    ]
    listed = ["l", OLD, "mug", "bob", "BRL", 900, None, {"colour": "red"}]
    changed = ["c", NEW, "mug", "bob", "BRL", 900, "g", {"room": "hall", "colour": "blue"}]
    with connect(shop, admin=True) as client:
        client.insert("product_listed", [listed], column_names=columns)
        client.insert("product_changed", [changed], column_names=columns)
    offer = {"seller_id": "bob", "currency": "BRL", "price_minor": 900, "listed": 1, "group_id": "g",
             "attributes": {"colour": "blue", "room": "hall"}}  # fmt: skip

    def verdict(**others: Any) -> str:
        with Redis.from_url(shop.redis) as redis:
            redis.flushdb()
            redis.hset("product:mug", "offers", orjson.dumps([offer | others]))
        with stores(shop, None, lambda *_: None) as opened:
            return list(compare_once("facts_vs_recommendations", opened))[3].verdict

    assert verdict() == "agree"
    assert verdict(attributes={"colour": "red"}) == "differ"
    assert verdict(group_id="h") == "differ"
