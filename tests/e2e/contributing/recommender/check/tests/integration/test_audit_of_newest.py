"""The audit accepts the newest listings, and finds a missing product."""

from collections.abc import Iterator

import pytest
from redis import Redis

from audit.comparison import ComparisonResult
from audit.connect import stores
from audit.run import compare_once
from clickhouse.client import connect
from clickhouse.migrate import migrate
from common.settings import Settings
from local.parts import redis as local_redis
from tests.integration.servers import running

FACTS = """
INSERT INTO product_listed (event_id, occurred_at, product_id, category)
SELECT toString(number), toDateTime64(1000 + number, 3), concat('p', toString(number)), 'light'
FROM numbers(3)
"""
IN_REDIS = {"p0": 1000, "p1": 1001, "p2": 1002}


@pytest.fixture(scope="module")
def listed(clickhouse_server: Settings, settings: Settings) -> Iterator[Settings]:
    """Three listed products in ClickHouse, and an empty Redis."""
    with_redis = clickhouse_server.model_copy(
        update={"clickhouse_database": "newest", "redis_url": settings.redis}
    )
    migrate(with_redis)
    with connect(with_redis, admin=True) as client:
        client.command(FACTS)
    with running(local_redis.part(settings), settings):
        yield with_redis


@pytest.mark.parametrize(("missing", "verdict"), [((), "agree"), (("p1",), "differ")])
def test_a_product_that_is_missing_is_noticed(
    listed: Settings, missing: tuple[str, ...], verdict: str
) -> None:
    with Redis.from_url(listed.redis) as redis:
        redis.flushdb()  # of the test before
        redis.zadd("newest:light", {name: at for name, at in IN_REDIS.items() if name not in missing})

    assert of_newest(listed).verdict == verdict


def of_newest(settings: Settings) -> ComparisonResult:
    with stores(settings, None, lambda *_: None) as opened:
        every = compare_once("facts_vs_recommendations", opened)
        (found,) = (each for each in every if each.spec.what == "newest:{category}")
    return found
