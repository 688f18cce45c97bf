-- The sellers service tells of the commission rules that it adds.

CREATE TABLE IF NOT EXISTS commission_rule_added
(
    event_id String CODEC(ZSTD(1)) COMMENT 'UUIDv7; the same fact sent twice has the same id.',
    occurred_at DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)) COMMENT 'When it happened, UTC.',
    rule_id String CODEC(ZSTD(1)) COMMENT 'The rule, which never changes.',
    position Int64 CODEC(ZSTD(1)) COMMENT 'Rules are numbered in the order in which they were added; of two that are valid from the same time, the later one applies.',
    seller_id Nullable(String) CODEC(ZSTD(1)) COMMENT 'The seller whose lines it is for, null unless it is for one.',
    category Nullable(String) CODEC(ZSTD(1)) COMMENT 'The category whose lines it is for, null unless it is for one.',
    rate_bp Int32 CODEC(ZSTD(1)) COMMENT 'Commission in basis points.',
    minimum_minor Nullable(Int64) CODEC(ZSTD(1)) COMMENT 'Least commission of a line in minor units, null if there is none.',
    maximum_minor Nullable(Int64) CODEC(ZSTD(1)) COMMENT 'Most commission of a line in minor units, null if there is none.',
    currency LowCardinality(Nullable(String)) COMMENT 'ISO 4217 code of minimum and maximum, which apply to lines in it; null without them.',
    valid_from DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)) COMMENT 'When it begins to apply to orders, UTC.',
    ingested_at DateTime64(3, 'UTC') DEFAULT now64(3) CODEC(Delta, ZSTD(1)) COMMENT 'When ClickHouse took the row; of two copies of an event the later stays.'
)
ENGINE = ReplacingMergeTree(ingested_at)
PARTITION BY toYear(occurred_at)
ORDER BY (rule_id, occurred_at, event_id)
SETTINGS index_granularity = 1024
COMMENT 'The marketplace keeps another share of the lines of a seller, of a category, or by default.';
