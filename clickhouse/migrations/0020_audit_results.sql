-- What every audit found: a row for each subject of its comparisons, kept for ever.
CREATE TABLE IF NOT EXISTS audit_results
(
    audited_at DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)) COMMENT 'When the audit ended, UTC.',
    comparison LowCardinality(String) COMMENT 'The comparison, such as kafka_vs_facts.',
    subject String CODEC(ZSTD(1)) COMMENT 'What was compared, such as "every field of order_placed".',
    left_store LowCardinality(String) COMMENT 'The store that is right by definition.',
    right_store LowCardinality(String) COMMENT 'The store that was checked.',
    rows UInt64 CODEC(ZSTD(1)) COMMENT 'Distinct keys of both sides.',
    figures UInt64 CODEC(ZSTD(1)) COMMENT 'Single values that were compared.',
    differences UInt64 CODEC(ZSTD(1)) COMMENT 'Figures on which the two sides disagree.',
    explained UInt64 CODEC(ZSTD(1)) COMMENT 'Rows that one side lacks because they are dead letters.',
    unread String CODEC(ZSTD(1)) COMMENT 'Why a side could not be read; empty if both were.'
)
ENGINE = ReplacingMergeTree
ORDER BY (comparison, audited_at, subject, left_store, right_store)
COMMENT 'What every audit found, comparison by comparison.';
