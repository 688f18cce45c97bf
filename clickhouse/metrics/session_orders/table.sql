-- Every order whose visit is known, by the session of the browser.
CREATE TABLE {table}
(
    session_id String CODEC(Default) COMMENT 'The session of the browser.',
    placed_at DateTime64(3, 'UTC') CODEC(Delta, Default) COMMENT 'When the order was placed, UTC.',
    order_id String CODEC(Default) COMMENT 'The order.',
    seller_ids Array(String) CODEC(Default) COMMENT 'The sellers of its lines, each once.'
)
ENGINE = ReplacingMergeTree
PARTITION BY toYear(placed_at)
ORDER BY (session_id, placed_at, order_id)
SETTINGS index_granularity = 512
COMMENT 'Every order whose visit is known, by the session of the browser.'
