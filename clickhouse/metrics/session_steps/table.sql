-- Everything that a session did, in one row: what the steps of its visits are computed from.
CREATE TABLE {table}
(
    session_id String CODEC(Default) COMMENT 'The session of the browser.',
    first_at SimpleAggregateFunction(min, DateTime64(3, 'UTC')) CODEC(Default) COMMENT 'When its first event happened, UTC.',
    last_at SimpleAggregateFunction(max, DateTime64(3, 'UTC')) CODEC(Default) COMMENT 'When its last event happened, UTC.',
    steps SimpleAggregateFunction(groupUniqArrayArray, Array(Tuple(at_ms Int64, step UInt8, order_id String, seller_id String))) CODEC(Default) COMMENT 'Its different events in any order: Unix milliseconds; 1 for a view, 2 for an addition to the cart, 3 for an order, each of a known seller, and 0 for anything else; the order, and the seller. An order is there once for each of its sellers.'
)
ENGINE = AggregatingMergeTree
ORDER BY session_id
SETTINGS index_granularity = 512
COMMENT 'Everything that a session did, in one row.'
