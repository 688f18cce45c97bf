-- What job `signals` recognises. A signal that is raised again has the same key, and replaces its row.

CREATE TABLE IF NOT EXISTS signals
(
    seller_id String CODEC(ZSTD(1)) COMMENT 'The seller whom it concerns; empty if it concerns the marketplace only.',
    signal_id String CODEC(ZSTD(1)) COMMENT 'Digest of the kind, the seller, the subject and the hour in which it was raised.',
    kind LowCardinality(String) COMMENT 'payment_failures, conversion_fall, review_flood, low_review_flood, stock_end or cancellation_wave.',
    subject_kind LowCardinality(String) COMMENT 'What it is about: product, seller or payment_method.',
    subject_id String CODEC(ZSTD(1)) COMMENT 'The product, the seller or the payment method that it is about.',
    first_at DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)) COMMENT 'When what it reports began, UTC.',
    last_at DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)) COMMENT 'When it was complete, so that the signal was raised, UTC.',
    figures Map(String, Int64) CODEC(ZSTD(1)) COMMENT 'The figures that raised it, such as sessions and orders.',
    sentence String CODEC(ZSTD(1)) COMMENT 'What happened, in one or two sentences for people.',
    ingested_at DateTime64(3, 'UTC') DEFAULT now64(3) CODEC(Delta, ZSTD(1)) COMMENT 'When ClickHouse took the row; of two copies of a signal the later stays.'
)
ENGINE = ReplacingMergeTree(ingested_at)
ORDER BY (seller_id, signal_id)
SETTINGS index_granularity = 1024
COMMENT 'What sellers and operators must know of: patterns of events that job signals has recognised.';
