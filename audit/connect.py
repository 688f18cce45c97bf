"""Builds the stores that the audit reads, from the settings."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

import redis

from audit.snapshot import WaitPolicy, take_cut
from audit.sources.api import ApiClient
from audit.sources.clickhouse import ClickHouseTables
from audit.sources.events import EventLog
from audit.sources.kafka import KafkaTopics
from audit.sources.redis_sets import RedisSets
from audit.sources.service_db import ServiceDatabase
from audit.sources.source_tables import SourceTables
from audit.stores import Stores
from clickhouse.client import connect
from common.postgres_roles import READER
from common.principal_token import PlatformToken
from common.redis_client import as_part_unavailable
from common.settings import Settings
from schemas.codec import Decoder
from schemas.registry import SchemaRegistry
from serving.products.search.index import search_folder

Progress = Callable[[str, int, int], None]
"""Called with (what is read, how much so far, how much in total)."""


@contextmanager
def stores(
    settings: Settings,
    source: SourceTables | None,
    progress: Progress,
    wait_policy: WaitPolicy | None = None,
) -> Iterator[Stores]:
    """Open every store read-only for a `with` block.

    With `wait_policy`, a cut is taken first and the stores are read up to it. Without, they are read to the
    end. Errors of Redis in the block are raised as PartUnavailable.
    """
    with (
        SchemaRegistry(settings.registry) as registry,
        connect(settings) as client,
        ServiceDatabase(settings.postgres_as(READER)) as service_db,
        redis.Redis.from_url(settings.redis, decode_responses=True) as redis_client,
        as_part_unavailable(settings),
    ):
        clickhouse = ClickHouseTables(client)
        cut = None
        if wait_policy:
            cut = take_cut(settings.kafka, service_db, clickhouse, wait_policy, source is not None)
        topics = KafkaTopics(settings.kafka, progress, cut.offsets if cut else None)
        yield Stores(
            source=source,
            kafka=EventLog(topics, Decoder(registry.schema)),
            clickhouse=clickhouse,
            service_db=service_db,
            redis=RedisSets(redis_client),
            api=ApiClient(settings.serving, PlatformToken(settings, "audit"), progress),
            timezone=settings.timezone,
            currency=settings.shop_currency,
            search=search_folder(settings),
            cut=cut,
        )


@contextmanager
def beside(settings: Settings, opened: Stores) -> Iterator[Stores]:
    """Yield the same stores for comparisons of `audit.run.BESIDE`, with a connection to ClickHouse apart."""
    with connect(settings) as client:
        yield replace(opened, clickhouse=ClickHouseTables(client))
