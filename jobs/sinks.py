"""Where outputs go: the options of our two sinks, and how soon each table must show what happened."""

from common.settings import Settings

LIVE = "200 ms"
"""Flush interval of tables that someone watches. The aim is 500 ms from event to table (p99)."""

CALM = "1 s"
"""Flush interval of other sums and rankings."""

HISTORY = "3 s"
"""Flush interval of facts that are read as history. Each flush is a ClickHouse part and some 9 ms of a core,
and these are most of the tables."""


def clickhouse(settings: Settings, table: str, flush: str, *, versioned: bool) -> dict[str, str]:
    """Options of a `souk-clickhouse` table; `versioned` where the sink writes the column `version`."""
    options = {
        "connector": "souk-clickhouse",
        "url": settings.clickhouse,
        "username": settings.clickhouse_admin_user,
        "password": settings.clickhouse_admin_password.get_secret_value(),
        "database": settings.clickhouse_database,
        "table": table,
        "sink.flush.interval": flush,
        "sink.progress.table": "pipeline_progress",
        "sink.dlq.bootstrap": settings.kafka,
        "sink.dlq.topic": f"{table}_dlq",
    }
    return {**options, "sink.version-column": "version"} if versioned else options


def redis_ranking(settings: Settings, name: str) -> dict[str, str]:
    """Options of a `souk-redis` sorted set: the primary key is the member, the other column its score."""
    return {**redis(settings, name, "zset", CALM), "key": name}


def redis(settings: Settings, name: str, mode: str, flush: str) -> dict[str, str]:
    """Options of a `souk-redis` table; what Redis refuses goes to `<name>_dlq`."""
    return {
        "connector": "souk-redis",
        "url": settings.redis,
        "mode": mode,
        "sink.flush.interval": flush,
        "sink.dlq.bootstrap": settings.kafka,
        "sink.dlq.topic": f"{name}_dlq",
    }
