-- Orders tells of the returns that it accepts.

CREATE TABLE IF NOT EXISTS return_settled
(
    event_id String CODEC(ZSTD(1)) COMMENT 'UUIDv7; the same fact sent twice has the same id.',
    occurred_at DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)) COMMENT 'When it happened, UTC.',
    return_id String CODEC(ZSTD(1)) COMMENT 'The return.',
    order_id String CODEC(ZSTD(1)) COMMENT 'The order; one checkout is one order.',
    shopper_id String CODEC(ZSTD(1)) COMMENT 'Who bought: the person, not the session.',
    seller_id String CODEC(ZSTD(1)) COMMENT 'To whom it came back.',
    placed_at DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)) COMMENT 'When the order was placed, UTC.',
    currency LowCardinality(String) COMMENT 'ISO 4217 code of every amount in this event.',
    lines Array(Tuple(line_number Int32, product_id String, quantity Int32, refund_minor Int64, restocked Bool)) CODEC(ZSTD(1)) COMMENT 'What came back.',
    ingested_at DateTime64(3, 'UTC') DEFAULT now64(3) CODEC(Delta, ZSTD(1)) COMMENT 'When ClickHouse took the row; of two copies of an event the later stays.'
)
ENGINE = ReplacingMergeTree(ingested_at)
PARTITION BY toYear(occurred_at)
ORDER BY (order_id, occurred_at, event_id)
SETTINGS index_granularity = 1024
COMMENT 'The return of some lines is accepted: its units and its money go back.';
