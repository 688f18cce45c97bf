-- Every view of a seller's offer.
CREATE TABLE {table}
(
    seller_id String CODEC(Default) COMMENT 'Whose offer was shown.',
    minute DateTime('UTC') CODEC(Delta, Default) COMMENT 'Minute of the view, UTC.',
    event_id String CODEC(Default) COMMENT 'The view.',
    product_id String CODEC(Default) COMMENT 'The product.',
    session_id String CODEC(Default) COMMENT 'The visit.',
    source LowCardinality(String) COMMENT 'What led there.',
    views UInt8 COMMENT '1: the sum is the number of views.'
)
ENGINE = ReplacingMergeTree
PARTITION BY toYear(minute)
ORDER BY (seller_id, minute, event_id)
SETTINGS index_granularity = 512
COMMENT 'Every view of a seller''s offer.'
