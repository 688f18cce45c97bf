-- What products cost their sellers (event product_cost_set).

CREATE TABLE IF NOT EXISTS product_cost_set
(
    event_id String CODEC(ZSTD(1)) COMMENT 'UUIDv7; the same fact sent twice has the same id.',
    occurred_at DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)) COMMENT 'When it happened, UTC.',
    product_id String CODEC(ZSTD(1)) COMMENT 'The product.',
    seller_id String CODEC(ZSTD(1)) COMMENT 'Who pays it; other sellers of the product have their own cost.',
    currency LowCardinality(String) COMMENT 'ISO 4217 code of every amount in this event.',
    unit_cost_minor Int64 CODEC(ZSTD(1)) COMMENT 'Cost of one unit; 0 if it is removed.',
    removed Bool CODEC(ZSTD(1)) COMMENT 'Whether the seller removed the cost that was set for the same valid_from.',
    valid_from DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)) COMMENT 'It applies to orders that were placed from then on, until the next cost\'s valid_from. The start of a day of the shop, UTC.',
    version Int64 CODEC(ZSTD(1)) COMMENT 'Counts the changes of this product\'s cost at this seller for the same valid_from, from 1; the highest counts.',
    ingested_at DateTime64(3, 'UTC') DEFAULT now64(3) CODEC(Delta, ZSTD(1)) COMMENT 'When ClickHouse took the row; of two copies of an event the later stays.'
)
ENGINE = ReplacingMergeTree(ingested_at)
PARTITION BY toYear(occurred_at)
ORDER BY (product_id, occurred_at, event_id)
SETTINGS index_granularity = 1024
COMMENT 'A seller said what a unit of a product costs them from a day on.';
