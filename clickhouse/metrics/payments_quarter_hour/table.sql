-- Money taken in each quarter of an hour, by method.
CREATE TABLE {table}
(
    quarter_hour DateTime('UTC') CODEC(Delta, Default) COMMENT 'Start of the quarter of an hour in which the money was taken, UTC.',
    method LowCardinality(String) COMMENT 'How it was paid.',
    currency LowCardinality(String) COMMENT 'ISO 4217 code of the amount.',
    payments UInt64 CODEC(Default) COMMENT 'Payments; an order may have several.',
    amount_minor Int64 CODEC(Default) COMMENT 'What was taken.',
    computed_at DateTime64(3, 'UTC') CODEC(Delta, Default) COMMENT 'When the sums were computed; the newest row of a key counts.'
)
ENGINE = ReplacingMergeTree(computed_at)
PARTITION BY toYear(quarter_hour)
ORDER BY (quarter_hour, method, currency)
COMMENT 'Money taken in each quarter of an hour, by method.'
