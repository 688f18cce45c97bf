-- What became of each seller's part of an order. Every column keeps its greatest value, so the order and the repetition of events change nothing.
CREATE TABLE {table}
(
    seller_id String CODEC(Default) COMMENT 'Who sells and ships it.',
    order_id String CODEC(Default) COMMENT 'The order.',
    placed_at SimpleAggregateFunction(max, Nullable(DateTime64(3, 'UTC'))) CODEC(Delta, Default) COMMENT 'When the order was placed, UTC.',
    promised_at SimpleAggregateFunction(max, Nullable(DateTime64(3, 'UTC'))) CODEC(Delta, Default) COMMENT 'The delivery that was promised to the shopper, UTC.',
    confirmed_at SimpleAggregateFunction(max, Nullable(DateTime64(3, 'UTC'))) CODEC(Delta, Default) COMMENT 'When the order was confirmed, UTC.',
    shipped_at SimpleAggregateFunction(max, Nullable(DateTime64(3, 'UTC'))) CODEC(Delta, Default) COMMENT 'When the seller shipped it, UTC; of several parcels, the last one.',
    delivered_at SimpleAggregateFunction(max, Nullable(DateTime64(3, 'UTC'))) CODEC(Delta, Default) COMMENT 'When it arrived, UTC; of several parcels, the last one.',
    cancelled_at SimpleAggregateFunction(max, Nullable(DateTime64(3, 'UTC'))) CODEC(Delta, Default) COMMENT 'When the order was cancelled, UTC.',
    cancellation_reason SimpleAggregateFunction(max, LowCardinality(String)) COMMENT 'Why it was cancelled; empty if it was not.'
)
ENGINE = AggregatingMergeTree
ORDER BY (seller_id, order_id)
SETTINGS index_granularity = 512
COMMENT 'The current state of each seller''s part of each order.'
