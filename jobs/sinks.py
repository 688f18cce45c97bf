"""The options of the two sinks, and the flush intervals of their tables."""

from common.settings import Settings

LIVE_FLUSH = "200 ms"
"""Flush interval of tables that live pages show. The goal is 500 ms from event to table (p99)."""

BUSY_FLUSH = "2 s"
"""Flush interval of a live table in a backlog. An insert costs about 9 ms of CPU time, whatever its size."""

DEFAULT_FLUSH = "1 s"
"""Flush interval of facts that feed other figures, and of rankings."""

HISTORY_FLUSH = "3 s"
"""Flush interval of facts that no live page shows. Each flush creates a ClickHouse part and takes about 9 ms
of CPU time, and most tables hold such facts."""


def clickhouse(settings: Settings, table: str, flush: str, *, versioned: bool) -> dict[str, str]:
    """Return the options of a `souk-clickhouse` table; with `versioned` the sink writes column `version`."""
    options = {
        "connector": "souk-clickhouse",
        "url": settings.clickhouse,
        "username": settings.clickhouse_admin_user,
        "password": settings.clickhouse_admin_password.get_secret_value(),
        "database": settings.clickhouse_database,
        "table": table,
        "sink.flush.interval": flush,
        **({"sink.flush.busy-interval": BUSY_FLUSH} if flush == LIVE_FLUSH else {}),
        "sink.progress.table": "pipeline_progress",
        "sink.dlq.bootstrap": settings.kafka,
        "sink.dlq.topic": f"{table}_dlq",
    }
    return {**options, "sink.version-column": "version"} if versioned else options


def redis_ranking(settings: Settings, name: str, key: str) -> dict[str, str]:
    """Return the options of a sorted set: the primary key is the member, the other column the score."""
    return {**redis(settings, name, "zset", DEFAULT_FLUSH), "key": key}


def redis(settings: Settings, name: str, mode: str, flush: str) -> dict[str, str]:
    """Return the options of a `souk-redis` table; rows that Redis rejects go to `<name>_dlq`."""
    return {
        "connector": "souk-redis",
        "url": settings.redis,
        "mode": mode,
        "sink.flush.interval": flush,
        "sink.dlq.bootstrap": settings.kafka,
        "sink.dlq.topic": f"{name}_dlq",
    }
