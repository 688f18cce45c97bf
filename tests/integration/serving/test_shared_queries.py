"""One process of the API asks ClickHouse for all of them."""

import asyncio

from clickhouse.query_files import load_queries
from common.metrics import QUERY_SECONDS
from common.settings import Settings
from serving.kit.clickhouse import ClickHouseQueries, Row
from serving.kit.redis_client import open_redis
from serving.kit.shared_queries import SharedQueries

QUERY = "seller_span"


def asked() -> float:
    """How often this process sent the query."""
    samples = QUERY_SECONDS.collect()[0].samples
    return sum(
        each.value for each in samples if each.name.endswith("_count") and each.labels.get("query") == QUERY
    )


async def read(shop: Settings, seller: str, processes: int) -> list[list[list[Row]]]:
    """Ask as many processes at the same time."""
    async with ClickHouseQueries(shop, load_queries()) as clickhouse, open_redis(shop) as redis:
        shared = [SharedQueries(clickhouse, redis) for _ in range(processes)]
        question = (QUERY, {"seller_id": seller})
        return await asyncio.gather(*(each.rows_of_all(60, question) for each in shared))


def test_processes_that_ask_together_get_the_rows_of_one_query(shop: Settings) -> None:
    before = asked()

    found = asyncio.run(read(shop, "shared-by-five", 5))

    assert asked() - before == 1
    assert all(rows == found[0] for rows in found)


def test_a_process_that_asks_later_gets_the_stored_rows_of_its_own_question(shop: Settings) -> None:
    first = asyncio.run(read(shop, "shared-later", 1))
    before = asked()

    again = asyncio.run(read(shop, "shared-later", 1))
    asyncio.run(read(shop, "shared-by-nobody", 1))

    assert again == first
    assert asked() - before == 1
