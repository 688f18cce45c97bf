"""Builds the stores that the audit reads, from the settings."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import redis

from audit.sources.api import Api
from audit.sources.clickhouse import ClickHouseTables
from audit.sources.events import EventLog
from audit.sources.kafka import KafkaTopics
from audit.sources.olist import OlistTables
from audit.sources.postgres import Books
from audit.sources.redis import SortedSets
from audit.stores import Stores
from clickhouse.client import connect
from common.settings import Settings
from schemas.codec import Decoder
from schemas.registry import Registry

Progress = Callable[[str, int, int], None]
"""Called with (what is read, how much of it so far, how much in all)."""


@contextmanager
def stores(settings: Settings, source: OlistTables | None, progress: Progress) -> Iterator[Stores]:
    """Every store, open as long as the `with`; nothing of them is ever changed."""
    with (
        Registry(settings.registry) as registry,
        connect(settings) as clickhouse,
        Books(settings.postgres) as books,
        redis.Redis.from_url(settings.redis, decode_responses=True) as sets,
    ):
        yield Stores(
            source=source,
            kafka=EventLog(KafkaTopics(settings.kafka, progress), Decoder(registry.schema)),
            clickhouse=ClickHouseTables(clickhouse),
            books=books,
            redis=SortedSets(sets, settings.redis),
            api=Api(settings.serving, progress),
            timezone=settings.timezone,
            currency=settings.shop_currency,
        )
