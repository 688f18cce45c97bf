"""The stores that the audit reads, as one value that every comparison is given."""

from dataclasses import dataclass
from zoneinfo import ZoneInfo

from audit.sources.api import Api
from audit.sources.clickhouse import ClickHouseTables
from audit.sources.events import EventLog
from audit.sources.olist import OlistTables
from audit.sources.postgres import Books
from audit.sources.redis import SortedSets


@dataclass(frozen=True)
class Stores:
    """Every store, read-only. `source` is None where no data set was replayed."""

    source: OlistTables | None
    kafka: EventLog
    clickhouse: ClickHouseTables
    books: Books
    redis: SortedSets
    api: Api
    timezone: ZoneInfo
    currency: str
