-- Every step of a session towards buying an offer of a seller: views, additions to the cart, orders.
CREATE TABLE {table}
(
    seller_id String CODEC(Default) COMMENT 'Whose offer it is about.',
    session_id String CODEC(Default) COMMENT 'The session of the browser.',
    at DateTime64(3, 'UTC') CODEC(Delta, Default) COMMENT 'When, UTC.',
    step UInt8 COMMENT '1: a view, 2: an addition to the cart, 3: an order.',
    event_id String CODEC(Default) COMMENT 'The event.',
    order_id String CODEC(Default) COMMENT 'The order; empty for the other steps.'
)
ENGINE = ReplacingMergeTree
PARTITION BY toYear(at)
ORDER BY (seller_id, session_id, at, step, event_id)
SETTINGS index_granularity = 512
COMMENT 'Every step of a session towards buying an offer of a seller: views, additions to the cart, orders.'
