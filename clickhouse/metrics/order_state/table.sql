-- The state of each order. Every column keeps its greatest value, so the order and the repetition of events change nothing.
CREATE TABLE {table}
(
    order_id String CODEC(Default) COMMENT 'The order.',
    shopper_id SimpleAggregateFunction(max, String) CODEC(Default) COMMENT 'Who bought; empty until an event that names the shopper has come.',
    currency SimpleAggregateFunction(max, LowCardinality(String)) COMMENT 'ISO 4217 code; empty until order_placed or order_cancelled has come.',
    placed_at SimpleAggregateFunction(max, Nullable(DateTime64(3, 'UTC'))) CODEC(Delta, Default) COMMENT 'When it was placed, UTC.',
    confirmed_at SimpleAggregateFunction(max, Nullable(DateTime64(3, 'UTC'))) CODEC(Delta, Default) COMMENT 'When it was confirmed, UTC.',
    shipped_at SimpleAggregateFunction(max, Nullable(DateTime64(3, 'UTC'))) CODEC(Delta, Default) COMMENT 'When its newest shipment left, UTC.',
    delivered_at SimpleAggregateFunction(max, Nullable(DateTime64(3, 'UTC'))) CODEC(Delta, Default) COMMENT 'When its newest delivery arrived, UTC.',
    cancelled_at SimpleAggregateFunction(max, Nullable(DateTime64(3, 'UTC'))) CODEC(Delta, Default) COMMENT 'When it was cancelled, UTC.',
    status SimpleAggregateFunction(max, Enum8('placed' = 1, 'confirmed' = 2, 'shipped' = 3, 'delivered' = 4, 'cancelled' = 5)) COMMENT 'The furthest of placed, confirmed, shipped, delivered; or cancelled.',
    shipped_by SimpleAggregateFunction(maxMap, Map(String, DateTime64(3, 'UTC'))) CODEC(Default) COMMENT 'Seller of a line of it -> when their newest shipment left, UTC.',
    delivered_by SimpleAggregateFunction(maxMap, Map(String, DateTime64(3, 'UTC'))) CODEC(Default) COMMENT 'Seller of a line of it -> when their newest delivery arrived, UTC.'
)
ENGINE = AggregatingMergeTree
ORDER BY order_id
SETTINGS index_granularity = 512, min_compress_block_size = 8192
COMMENT 'The current state of each order.'
