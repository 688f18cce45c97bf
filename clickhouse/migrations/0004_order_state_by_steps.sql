-- order_state as the greatest of what each event says: a row an event, in any order and any number of times. Job metrics
-- then forwards events instead of remembering every order. It is filled from what was there, so that no answer has a gap.
-- Whatever an interrupted run left is dropped first: the new table half filled, or the old one after the exchange.

DROP TABLE IF EXISTS order_state_by_steps;

CREATE TABLE order_state_by_steps
(
    order_id String CODEC(ZSTD(1)) COMMENT 'The order.',
    shopper_id SimpleAggregateFunction(max, String) CODEC(ZSTD(1)) COMMENT 'Who bought; empty until an event that names the shopper has come.',
    currency SimpleAggregateFunction(max, LowCardinality(String)) COMMENT 'ISO 4217 code; empty until order_placed or order_cancelled has come.',
    placed_at SimpleAggregateFunction(max, Nullable(DateTime64(3, 'UTC'))) CODEC(Delta, ZSTD(1)) COMMENT 'When it was placed, UTC.',
    confirmed_at SimpleAggregateFunction(max, Nullable(DateTime64(3, 'UTC'))) CODEC(Delta, ZSTD(1)) COMMENT 'When it was confirmed, UTC.',
    shipped_at SimpleAggregateFunction(max, Nullable(DateTime64(3, 'UTC'))) CODEC(Delta, ZSTD(1)) COMMENT 'When its newest shipment left, UTC.',
    delivered_at SimpleAggregateFunction(max, Nullable(DateTime64(3, 'UTC'))) CODEC(Delta, ZSTD(1)) COMMENT 'When its newest delivery arrived, UTC.',
    cancelled_at SimpleAggregateFunction(max, Nullable(DateTime64(3, 'UTC'))) CODEC(Delta, ZSTD(1)) COMMENT 'When it was cancelled, UTC.',
    status SimpleAggregateFunction(max, Enum8('placed' = 1, 'confirmed' = 2, 'shipped' = 3, 'delivered' = 4, 'cancelled' = 5)) COMMENT 'The furthest of placed, confirmed, shipped, delivered; or cancelled.'
)
ENGINE = AggregatingMergeTree
ORDER BY order_id
SETTINGS index_granularity = 512
COMMENT 'The current state of each order: read it with FINAL, which takes the greatest of each column.';

INSERT INTO order_state_by_steps
SELECT order_id, shopper_id, currency, placed_at, confirmed_at, shipped_at, delivered_at, cancelled_at, status
FROM order_state FINAL;

EXCHANGE TABLES order_state AND order_state_by_steps;

DROP TABLE order_state_by_steps;
