-- Money taken in each minute, by method.
CREATE TABLE {table}
(
    minute DateTime('UTC') CODEC(Delta, Default) COMMENT 'Minute in which the money was taken, UTC.',
    method LowCardinality(String) COMMENT 'How it was paid.',
    currency LowCardinality(String) COMMENT 'ISO 4217 code of the amount.',
    payments UInt64 CODEC(Default) COMMENT 'Payments; an order may have several.',
    amount_minor Int64 CODEC(Default) COMMENT 'What was taken.',
    computed_at DateTime64(3, 'UTC') CODEC(Delta, Default) COMMENT 'When the sums were computed; the newest row of a key counts.'
)
ENGINE = ReplacingMergeTree(computed_at)
PARTITION BY toYear(minute)
ORDER BY (minute, method, currency)
COMMENT 'Money taken in each minute, by method.'
