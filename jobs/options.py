"""Flink options of all jobs, and the reasons for their values."""

from common.settings import Settings


def job_config(settings: Settings, job: str) -> dict[str, str]:
    """The configuration of one job, without the checkpoint directory, which the submission adds."""
    return {
        "pipeline.name": job,
        "parallelism.default": str(settings.job_parallelism),
        "pipeline.object-reuse": "true",
        "table.local-time-zone": "UTC",
        # How long an exchange may buffer a row. A row passes two exchanges, so the default of 100 ms costs up
        # to 200 ms; with 20 ms the flushing threads used a fifth of a core even without traffic.
        "execution.buffer-timeout.interval": "50 ms",
        # A topic without traffic must not hold back the watermark, and with it `as_of`, of its tables.
        "table.exec.source.idle-timeout": "3 s",
        # Views that several outputs read (the deduplicated orders) are planned, run and stored once.
        "table.optimizer.reuse-optimize-block-with-digest-enabled": "true",
        # State is on disk: it grows with the orders and never expires, because any event may be repeated.
        "state.backend.type": "rocksdb",
        # Most keys are new; the filter finds that without reading a block.
        "state.backend.rocksdb.use-bloom-filter": "true",
        # Filters are partitioned: the filter of a 60 MB file is 2 MB, does not fit into the cache, and was
        # read again for each key, 1.6 GB a second (docs/decisions/recommendations-in-sql.md).
        "state.backend.rocksdb.memory.partitioned-index-filters": "true",
        "execution.checkpointing.incremental": "true",
        # During a checkpoint every operator writes its memory to disk and every sink waits for its request.
        "execution.checkpointing.interval": "60 s",
        "execution.checkpointing.min-pause": "2 s",
        "execution.checkpointing.num-retained": "2",
        # The checkpoints of a killed or cancelled job stay: jobs/reconciler.py restores the newest.
        "execution.checkpointing.externalized-checkpoint-retention": "RETAIN_ON_CANCELLATION",
        # While ClickHouse or Redis does not answer, sinks block and checkpoints time out; the job goes on.
        "execution.checkpointing.tolerable-failed-checkpoints": "1000000",
        "restart-strategy.type": "exponential-delay",
        "restart-strategy.exponential-delay.initial-backoff": "1 s",
        "restart-strategy.exponential-delay.max-backoff": "10 s",
        "restart-strategy.exponential-delay.reset-backoff-threshold": "1 min",
    }
