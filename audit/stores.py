"""The stores that the audit reads, as one value for all comparisons."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from zoneinfo import ZoneInfo

from audit.snapshot import Cut
from audit.sources.api import ApiClient
from audit.sources.clickhouse import ClickHouseTables
from audit.sources.events import EventLog
from audit.sources.redis_sets import RedisSets
from audit.sources.service_db import ServiceDatabase
from audit.sources.source_tables import SourceTables

NEVER_RAN = "the commerce services have never run here"


@dataclass(frozen=True)
class Stores:
    """Every store, read-only.

    `source` is None if no data set was replayed; `cut` is None if the stores are read to their ends. While
    the shop is open, metrics of the days before `today` are compared; without it, those of all days.
    `search` is the folder of the search index.
    """

    source: SourceTables | None
    kafka: EventLog
    clickhouse: ClickHouseTables
    service_db: ServiceDatabase
    redis: RedisSets
    api: ApiClient
    timezone: ZoneInfo
    currency: str
    cut: Cut | None = None
    today: date | None = None
    search: Path | None = None
