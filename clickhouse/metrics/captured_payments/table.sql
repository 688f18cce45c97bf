-- Every payment that was captured, in the order of time.
CREATE TABLE {table}
(
    minute DateTime('UTC') CODEC(Delta, Default) COMMENT 'Minute in which the money was taken, UTC.',
    event_id String CODEC(Default) COMMENT 'The event; the same fact sent twice has the same id.',
    method LowCardinality(String) COMMENT 'How it was paid.',
    currency LowCardinality(String) COMMENT 'ISO 4217 code of the amount.',
    amount_minor Int64 CODEC(Default) COMMENT 'What was taken.'
)
ENGINE = ReplacingMergeTree
PARTITION BY toYear(minute)
ORDER BY (minute, event_id)
SETTINGS index_granularity = 1024
COMMENT 'Every payment that was captured, in the order of time.'
