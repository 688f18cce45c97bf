-- Every order whose visit is known, by the session of the browser.
CREATE TABLE {table}
(
    session_id String CODEC(Default) COMMENT 'The session of the browser.',
    placed_at DateTime64(3, 'UTC') CODEC(Delta, Default) COMMENT 'When the order was placed, UTC.',
    order_id String CODEC(Default) COMMENT 'The order.',
    offers Array(Tuple(seller_id String, product_id String)) CODEC(Default) COMMENT 'The offers of its lines.'
)
ENGINE = ReplacingMergeTree
PARTITION BY toYear(placed_at)
ORDER BY (session_id, placed_at, order_id)
SETTINGS index_granularity = 512
COMMENT 'Every order whose visit is known, by the session of the browser.'
