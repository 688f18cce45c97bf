-- The sellers service tells of each decision about who may sell.

CREATE TABLE IF NOT EXISTS seller_status_changed
(
    event_id String CODEC(ZSTD(1)) COMMENT 'UUIDv7; the same fact sent twice has the same id.',
    occurred_at DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)) COMMENT 'When it happened, UTC.',
    seller_id String CODEC(ZSTD(1)) COMMENT 'The seller.',
    status LowCardinality(String) COMMENT 'Only an approved seller may sell.',
    ingested_at DateTime64(3, 'UTC') DEFAULT now64(3) CODEC(Delta, ZSTD(1)) COMMENT 'When ClickHouse took the row; of two copies of an event the later stays.'
)
ENGINE = ReplacingMergeTree(ingested_at)
PARTITION BY toYear(occurred_at)
ORDER BY (seller_id, occurred_at, event_id)
SETTINGS index_granularity = 1024
COMMENT 'A seller may sell from now on, or not any more.';
