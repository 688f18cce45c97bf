"""Flink options that every job of ours shares, and why each has its value."""

from common.settings import Settings


def job_config(settings: Settings, job: str) -> dict[str, str]:
    """The configuration of one job; the checkpoint directory is added at submission."""
    return {
        "pipeline.name": job,
        "parallelism.default": str(settings.job_parallelism),
        "pipeline.object-reuse": "true",
        "table.local-time-zone": "UTC",
        # How long an exchange may hold a row: the default, 100 ms, would be felt twice before each metric;
        # with 20 ms the threads that look took a fifth of a core, however little there was.
        "execution.buffer-timeout.interval": "50 ms",
        # A topic without traffic must not hold back the watermark, and so `as_of`, of the tables it feeds.
        "table.exec.source.idle-timeout": "3 s",
        # Shared views (the deduplicated orders) are planned, run and stored once, whoever reads them.
        "table.optimizer.reuse-optimize-block-with-digest-enabled": "true",
        # On disk: state grows with the orders and never expires, for a late or repeated event may hit any.
        "state.backend.type": "rocksdb",
        # Most keys are new: a filter knows that without reading a block.
        "state.backend.rocksdb.use-bloom-filter": "true",
        # In parts: the filter of a file of 60 MB is 2 MB and finds no room in the cache, so that it was read
        # whole for each key, 1.6 GB a second (docs/decisions/recommendations-in-sql.md).
        "state.backend.rocksdb.memory.partitioned-index-filters": "true",
        "execution.checkpointing.incremental": "true",
        # Each makes every operator write its memory to disk and every sink wait for its request.
        "execution.checkpointing.interval": "60 s",
        "execution.checkpointing.min-pause": "2 s",
        "execution.checkpointing.num-retained": "2",
        # A killed JobManager or a cancelled job leaves its checkpoints: jobs/keep.py starts from the newest.
        "execution.checkpointing.externalized-checkpoint-retention": "RETAIN_ON_CANCELLATION",
        # While ClickHouse or Redis is away the sinks wait and checkpoints time out: no reason to fail.
        "execution.checkpointing.tolerable-failed-checkpoints": "1000000",
        "restart-strategy.type": "exponential-delay",
        "restart-strategy.exponential-delay.initial-backoff": "1 s",
        "restart-strategy.exponential-delay.max-backoff": "10 s",
        "restart-strategy.exponential-delay.reset-backoff-threshold": "1 min",
    }
