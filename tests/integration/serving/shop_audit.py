"""The facts of a drawn shop in the database of the API, and the stores that an audit of it reads."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from unittest.mock import sentinel

import httpx
from clickhouse_connect.driver.client import Client

from audit.sources.api import ApiClient
from audit.sources.clickhouse import ClickHouseTables
from audit.stores import Stores
from common.principal_token import PlatformToken
from common.settings import Settings
from tests.integration.metric_tables import emptied
from tests.integration.servers import await_true
from tests.integration.serving.conftest import TABLES, drop_cached, insert
from tests.integration.serving.shop_history import History, load
from tests.principals import bearer


@contextmanager
def loaded(shop: Settings, drawn: History) -> Iterator[None]:
    """Load the facts of a drawn shop; the shop of the other modules returns afterwards."""
    with restored(shop):
        load(shop, drawn)
        yield


@contextmanager
def restored(shop: Settings) -> Iterator[None]:
    """Let the body replace all facts; the shop of the other modules returns afterwards."""
    yield
    emptied(shop)
    for table, (_, rows) in TABLES.items():
        insert(shop, table, rows)
    await_watermark(shop, "/v1/sellers/ana/sales", datetime.fromisoformat("2018-02-18T02:59:00-03:00"))


def await_watermark(shop: Settings, path: str, as_of: datetime) -> None:
    """Wait until every process of the API answers on this path that sales are complete until `as_of`.

    Each reads the watermarks every 3 s, and what it answers meanwhile is cached for all.
    """

    def is_known() -> bool:
        drop_cached(shop)
        # Each request has a connection of its own: one connection leads to one process.
        answers = [
            httpx.get(f"{shop.serving}{path}", trust_env=False, timeout=30, headers=bearer(shop))
            .raise_for_status()
            .json()["as_of"]
            for _ in range(10)
        ]
        return {answer and datetime.fromisoformat(answer) for answer in answers} == {as_of}

    await_true(is_known, "each process of the API to know the watermarks of the facts")
    drop_cached(shop)


def stores_of(shop: Settings, client: Client) -> Stores:
    """Return ClickHouse and the API; the other stores are not there."""
    return Stores(
        None, sentinel.kafka, ClickHouseTables(client), sentinel.service_db, sentinel.redis,
        ApiClient(shop.serving, PlatformToken(shop, "audit"), lambda *_: None),
        shop.timezone, shop.shop_currency,
    )  # fmt: skip
