-- Every audit, also those that failed or were killed, and the first differences that it found.

CREATE TABLE IF NOT EXISTS audits
(
    audit_id String CODEC(ZSTD(1)) COMMENT 'UUIDv7 of the audit.',
    started_at DateTime64(3, 'UTC') COMMENT 'When it began, UTC.',
    ended_at Nullable(DateTime64(3, 'UTC')) COMMENT 'When it ended, UTC; null while it runs, and if it was interrupted.',
    trigger LowCardinality(String) COMMENT 'What started it: scheduled or requested.',
    is_whole Bool COMMENT 'Whether it made every comparison.',
    outcome LowCardinality(String) COMMENT 'running, agree, differ, incomplete, nothing, failed, stopped or interrupted.',
    reason String CODEC(ZSTD(1)) COMMENT 'Why it has this outcome, if it compared less than everything; else empty.',
    comparisons UInt32 COMMENT 'The number of results, of which audit_results has a row each.',
    rows UInt64 COMMENT 'Distinct keys of both sides, of all comparisons.',
    figures UInt64 COMMENT 'Single values that were compared.',
    differences UInt64 COMMENT 'Figures on which two stores disagree.',
    explained UInt64 COMMENT 'Rows that one side lacks because they are dead letters.',
    unread UInt32 COMMENT 'Comparisons of which a side could not be read.',
    peak_memory_mb Nullable(Float64) COMMENT 'The peak memory of the process in MB; null if it was killed.',
    recorded_at DateTime64(3, 'UTC') DEFAULT now64(3) COMMENT 'When ClickHouse took the row; of two rows of an audit the later stays.'
)
ENGINE = ReplacingMergeTree(recorded_at)
ORDER BY (started_at, audit_id)
SETTINGS index_granularity = 1024
COMMENT 'Every audit, with what started it, how long it took and what it found.';

-- Keys and values are those of the stores, so they may name people. They are deleted after 90 days.
CREATE TABLE IF NOT EXISTS audit_differences
(
    audit_id String CODEC(ZSTD(1)) COMMENT 'The audit.',
    found_at DateTime64(3, 'UTC') COMMENT 'When the audit ended, UTC.',
    comparison LowCardinality(String) COMMENT 'The comparison, such as kafka_vs_facts.',
    subject String CODEC(ZSTD(1)) COMMENT 'What was compared.',
    number UInt32 COMMENT 'The place among the stored differences of the audit, from 0.',
    left_store LowCardinality(String) COMMENT 'The store that is right by definition.',
    right_store LowCardinality(String) COMMENT 'The store that was checked.',
    key String CODEC(ZSTD(1)) COMMENT 'The row, as name=value.',
    field String CODEC(ZSTD(1)) COMMENT 'The figure; "row" if one side has no such row.',
    left_value String CODEC(ZSTD(1)) COMMENT 'The value of the left store, shortened; empty if it has no such row.',
    right_value String CODEC(ZSTD(1)) COMMENT 'The value of the right store, shortened; empty if it has no such row.'
)
ENGINE = ReplacingMergeTree
ORDER BY (audit_id, number)
TTL toDateTime(found_at) + INTERVAL 90 DAY
COMMENT 'The first differences that each audit found.';

ALTER TABLE audit_results
    ADD COLUMN IF NOT EXISTS audit_id String CODEC(ZSTD(1)) COMMENT 'The audit; empty if it ran before audits had ids.';
