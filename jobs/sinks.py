"""The options of all jobs and of the two sinks, and the flush intervals of their tables, with the reasons."""

from common.settings import Settings


def job_config(settings: Settings, job: str) -> dict[str, str]:
    """Return the configuration of a job, without the checkpoint directory, which jobs/submit.py adds."""
    return {
        "pipeline.name": job,
        "parallelism.default": str(settings.job_parallelism),
        "pipeline.object-reuse": "true",
        "table.local-time-zone": "UTC",
        # Results of most jobs are a second old anyway, and a thread that wakes costs CPU time.
        "execution.buffer-timeout.interval": "200 ms",
        "pipeline.auto-watermark-interval": "1 s",
        # A topic without traffic must not hold back the watermark of its tables, which determines `as_of`.
        "table.exec.source.idle-timeout": "3 s",
        # Views that several outputs read (the deduplicated orders) are planned, run and stored once.
        "table.optimizer.reuse-optimize-block-with-digest-enabled": "true",
        # State is on disk. It never expires unless a job (`table.exec.state.ttl`) or a statement says so.
        "state.backend.type": "rocksdb",
        # Most keys are new. The filter detects them without reading a block.
        "state.backend.rocksdb.use-bloom-filter": "true",
        # The whole filter of a 60 MB file is 2 MB. It did not fit into the cache and was read again for each
        # key, at 1.6 GB per second (docs/decisions/recommendations-in-sql.md).
        "state.backend.rocksdb.memory.partitioned-index-filters": "true",
        "execution.checkpointing.incremental": "true",
        # A checkpoint is expensive: every operator writes its memory to disk and every sink flushes.
        "execution.checkpointing.interval": "60 s",
        "execution.checkpointing.min-pause": "2 s",
        "execution.checkpointing.num-retained": "2",
        # Keep the checkpoints of killed and cancelled jobs: jobs/reconciler.py restores the newest one.
        "execution.checkpointing.externalized-checkpoint-retention": "RETAIN_ON_CANCELLATION",
        # While ClickHouse or Redis does not answer, sinks block and checkpoints time out; the job continues.
        "execution.checkpointing.tolerable-failed-checkpoints": "1000000",
        "restart-strategy.type": "exponential-delay",
        "restart-strategy.exponential-delay.initial-backoff": "1 s",
        "restart-strategy.exponential-delay.max-backoff": "10 s",
        "restart-strategy.exponential-delay.reset-backoff-threshold": "1 min",
    }


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
