-- Every view of a seller's offer to which a search led.
CREATE TABLE {table}
(
    seller_id String CODEC(Default) COMMENT 'Whose offer was opened.',
    minute DateTime('UTC') CODEC(Delta, Default) COMMENT 'Minute of the click, UTC.',
    event_id String CODEC(Default) COMMENT 'The view.',
    clicked_at DateTime64(3, 'UTC') CODEC(Delta, Default) COMMENT 'When, UTC.',
    search_id String CODEC(Default) COMMENT 'The search.',
    session_id String CODEC(Default) COMMENT 'The session of the browser.',
    product_id String CODEC(Default) COMMENT 'The product.',
    clicks UInt8 COMMENT '1: the sum is the number of clicks.'
)
ENGINE = ReplacingMergeTree
PARTITION BY toYear(minute)
ORDER BY (seller_id, minute, event_id)
SETTINGS index_granularity = 512
COMMENT 'Every view of a seller''s offer to which a search led.'
