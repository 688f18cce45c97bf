-- The shoppers who were erased (event shopper_erased).

CREATE TABLE IF NOT EXISTS shopper_erased
(
    event_id String CODEC(ZSTD(1)) COMMENT 'UUIDv7; the same fact sent twice has the same id.',
    occurred_at DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)) COMMENT 'When it happened, UTC.',
    shopper_id String CODEC(ZSTD(1)) COMMENT 'The id under which the person bought. Their orders keep it.',
    ingested_at DateTime64(3, 'UTC') DEFAULT now64(3) CODEC(Delta, ZSTD(1)) COMMENT 'When ClickHouse took the row; of two copies of an event the later stays.'
)
ENGINE = ReplacingMergeTree(ingested_at)
PARTITION BY toYear(occurred_at)
ORDER BY (shopper_id, occurred_at, event_id)
SETTINGS index_granularity = 1024
COMMENT 'A person was erased on their request: nothing links the shopper\'s id to a person any more.';
