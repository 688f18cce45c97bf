-- What job `metrics` adds up: one row a group. An update is a new row with a higher version; whoever reads uses FINAL.
-- Years as partitions and small granules where one seller or one order is looked up: docs/decisions/partitions.md.
-- A `minute` is the one in which the order was placed, cancellations included; of payments, when the money was taken.

CREATE TABLE IF NOT EXISTS order_lines
(
    seller_id String CODEC(ZSTD(1)) COMMENT 'Who sells and ships this line.',
    placed_at DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)) COMMENT 'When the order was placed, UTC.',
    order_id String CODEC(ZSTD(1)) COMMENT 'The order.',
    line_number Int32 CODEC(ZSTD(1)) COMMENT 'Position within the order, from 1.',
    shopper_id String CODEC(ZSTD(1)) COMMENT 'Who bought: the person, not the session.',
    product_id String CODEC(ZSTD(1)) COMMENT 'The product.',
    currency LowCardinality(String) COMMENT 'ISO 4217 code of every amount in this row.',
    quantity Int32 CODEC(ZSTD(1)) COMMENT 'Units.',
    unit_price_minor Int64 CODEC(ZSTD(1)) COMMENT 'Price of one unit.',
    gross_minor Int64 CODEC(ZSTD(1)) COMMENT 'quantity times unit_price_minor.',
    discount_minor Int64 CODEC(ZSTD(1)) COMMENT 'Discount of the whole line; not taken off gross_minor.',
    shipping_minor Int64 CODEC(ZSTD(1)) COMMENT 'Shipping of the whole line, paid by the shopper.',
    tax_minor Int64 CODEC(ZSTD(1)) COMMENT 'Tax of the whole line.',
    commission_bp Int32 CODEC(ZSTD(1)) COMMENT 'The marketplace''s commission in basis points, frozen when the order was placed.'
)
ENGINE = ReplacingMergeTree
PARTITION BY toYear(placed_at)
ORDER BY (seller_id, placed_at, order_id, line_number)
SETTINGS index_granularity = 512
COMMENT 'Every line of every order placed, cancelled ones included.';

CREATE TABLE IF NOT EXISTS order_state
(
    order_id String CODEC(ZSTD(1)) COMMENT 'The order.',
    shopper_id String CODEC(ZSTD(1)) COMMENT 'Who bought; empty until an event that names the shopper has come.',
    currency LowCardinality(String) COMMENT 'ISO 4217 code; empty until order_placed or order_cancelled has come.',
    placed_at Nullable(DateTime64(3, 'UTC')) CODEC(Delta, ZSTD(1)) COMMENT 'When it was placed, UTC.',
    confirmed_at Nullable(DateTime64(3, 'UTC')) CODEC(Delta, ZSTD(1)) COMMENT 'When it was confirmed, UTC.',
    shipped_at Nullable(DateTime64(3, 'UTC')) CODEC(Delta, ZSTD(1)) COMMENT 'When its newest shipment left, UTC.',
    delivered_at Nullable(DateTime64(3, 'UTC')) CODEC(Delta, ZSTD(1)) COMMENT 'When its newest delivery arrived, UTC.',
    cancelled_at Nullable(DateTime64(3, 'UTC')) CODEC(Delta, ZSTD(1)) COMMENT 'When it was cancelled, UTC.',
    status LowCardinality(String) COMMENT 'The furthest of placed, confirmed, shipped, delivered; or cancelled.',
    version UInt64 CODEC(Delta, ZSTD(1)) COMMENT 'Grows with every update.'
)
ENGINE = ReplacingMergeTree(version)
ORDER BY order_id
SETTINGS index_granularity = 512
COMMENT 'The current state of each order.';

CREATE TABLE IF NOT EXISTS seller_sales_minute
(
    seller_id String CODEC(ZSTD(1)) COMMENT 'Who sold.',
    minute DateTime('UTC') CODEC(Delta, ZSTD(1)) COMMENT 'Minute in which the orders were placed, UTC.',
    currency LowCardinality(String) COMMENT 'ISO 4217 code of every amount in this row.',
    orders UInt64 CODEC(ZSTD(1)) COMMENT 'Orders with a line of this seller.',
    lines UInt64 CODEC(ZSTD(1)) COMMENT 'Order lines.',
    units Int64 CODEC(ZSTD(1)) COMMENT 'Units.',
    gross_minor Int64 CODEC(ZSTD(1)) COMMENT 'Units times their prices.',
    discount_minor Int64 CODEC(ZSTD(1)) COMMENT 'Discounts; not taken off gross_minor.',
    shipping_minor Int64 CODEC(ZSTD(1)) COMMENT 'Shipping paid by the shoppers.',
    version UInt64 CODEC(Delta, ZSTD(1)) COMMENT 'Grows with every update.'
)
ENGINE = ReplacingMergeTree(version)
PARTITION BY toYear(minute)
ORDER BY (seller_id, minute, currency)
SETTINGS index_granularity = 512
COMMENT 'What each seller sold in each minute, cancelled orders included.';

CREATE TABLE IF NOT EXISTS product_sales_minute
(
    seller_id String CODEC(ZSTD(1)) COMMENT 'Who sold.',
    product_id String CODEC(ZSTD(1)) COMMENT 'The product.',
    minute DateTime('UTC') CODEC(Delta, ZSTD(1)) COMMENT 'Minute in which the orders were placed, UTC.',
    currency LowCardinality(String) COMMENT 'ISO 4217 code of every amount in this row.',
    orders UInt64 CODEC(ZSTD(1)) COMMENT 'Orders with a line of this product.',
    lines UInt64 CODEC(ZSTD(1)) COMMENT 'Order lines.',
    units Int64 CODEC(ZSTD(1)) COMMENT 'Units.',
    gross_minor Int64 CODEC(ZSTD(1)) COMMENT 'Units times their prices.',
    discount_minor Int64 CODEC(ZSTD(1)) COMMENT 'Discounts; not taken off gross_minor.',
    shipping_minor Int64 CODEC(ZSTD(1)) COMMENT 'Shipping paid by the shoppers.',
    version UInt64 CODEC(Delta, ZSTD(1)) COMMENT 'Grows with every update.'
)
ENGINE = ReplacingMergeTree(version)
PARTITION BY toYear(minute)
ORDER BY (seller_id, product_id, minute, currency)
SETTINGS index_granularity = 512
COMMENT 'What was sold of each product in each minute, cancelled orders included.';

CREATE TABLE IF NOT EXISTS marketplace_sales_minute
(
    minute DateTime('UTC') CODEC(Delta, ZSTD(1)) COMMENT 'Minute in which the orders were placed, UTC.',
    currency LowCardinality(String) COMMENT 'ISO 4217 code of every amount in this row.',
    orders UInt64 CODEC(ZSTD(1)) COMMENT 'Orders, those without lines included.',
    lines UInt64 CODEC(ZSTD(1)) COMMENT 'Order lines.',
    units Int64 CODEC(ZSTD(1)) COMMENT 'Units.',
    gross_minor Int64 CODEC(ZSTD(1)) COMMENT 'Units times their prices.',
    discount_minor Int64 CODEC(ZSTD(1)) COMMENT 'Discounts; not taken off gross_minor.',
    shipping_minor Int64 CODEC(ZSTD(1)) COMMENT 'Shipping paid by the shoppers.',
    version UInt64 CODEC(Delta, ZSTD(1)) COMMENT 'Grows with every update.'
)
ENGINE = ReplacingMergeTree(version)
PARTITION BY toYear(minute)
ORDER BY (minute, currency)
COMMENT 'What the whole marketplace sold in each minute, cancelled orders included.';

CREATE TABLE IF NOT EXISTS seller_cancellations_minute
(
    seller_id String CODEC(ZSTD(1)) COMMENT 'Who had sold.',
    minute DateTime('UTC') CODEC(Delta, ZSTD(1)) COMMENT 'Minute in which the orders were placed, UTC.',
    currency LowCardinality(String) COMMENT 'ISO 4217 code of every amount in this row.',
    orders UInt64 CODEC(ZSTD(1)) COMMENT 'Cancelled orders with a line of this seller.',
    units Int64 CODEC(ZSTD(1)) COMMENT 'Units of them.',
    gross_minor Int64 CODEC(ZSTD(1)) COMMENT 'Units times their prices.',
    shipping_minor Int64 CODEC(ZSTD(1)) COMMENT 'Shipping the shoppers had paid.',
    version UInt64 CODEC(Delta, ZSTD(1)) COMMENT 'Grows with every update.'
)
ENGINE = ReplacingMergeTree(version)
PARTITION BY toYear(minute)
ORDER BY (seller_id, minute, currency)
SETTINGS index_granularity = 512
COMMENT 'What was cancelled of each seller''s sales, by the minute of the sale.';

CREATE TABLE IF NOT EXISTS marketplace_cancellations_minute
(
    minute DateTime('UTC') CODEC(Delta, ZSTD(1)) COMMENT 'Minute in which the orders were placed, UTC.',
    currency LowCardinality(String) COMMENT 'ISO 4217 code of every amount in this row.',
    orders UInt64 CODEC(ZSTD(1)) COMMENT 'Cancelled orders, those without lines included.',
    units Int64 CODEC(ZSTD(1)) COMMENT 'Units of them.',
    gross_minor Int64 CODEC(ZSTD(1)) COMMENT 'Units times their prices.',
    shipping_minor Int64 CODEC(ZSTD(1)) COMMENT 'Shipping the shoppers had paid.',
    version UInt64 CODEC(Delta, ZSTD(1)) COMMENT 'Grows with every update.'
)
ENGINE = ReplacingMergeTree(version)
PARTITION BY toYear(minute)
ORDER BY (minute, currency)
COMMENT 'What was cancelled of the marketplace''s sales, by the minute of the sale.';

CREATE TABLE IF NOT EXISTS payments_minute
(
    minute DateTime('UTC') CODEC(Delta, ZSTD(1)) COMMENT 'Minute in which the money was taken, UTC.',
    method LowCardinality(String) COMMENT 'How it was paid.',
    currency LowCardinality(String) COMMENT 'ISO 4217 code of the amount.',
    payments UInt64 CODEC(ZSTD(1)) COMMENT 'Payments; an order may have several.',
    amount_minor Int64 CODEC(ZSTD(1)) COMMENT 'What was taken.',
    version UInt64 CODEC(Delta, ZSTD(1)) COMMENT 'Grows with every update.'
)
ENGINE = ReplacingMergeTree(version)
PARTITION BY toYear(minute)
ORDER BY (minute, method, currency)
COMMENT 'Money taken in each minute, by method.';

CREATE TABLE IF NOT EXISTS pipeline_progress
(
    table_name LowCardinality(String) COMMENT 'The table that is filled.',
    subtask UInt16 COMMENT 'Which of the sink''s subtasks, from 0.',
    parallelism UInt16 COMMENT 'How many subtasks the sink has now; rows of a higher subtask are of an earlier run.',
    watermark DateTime64(3, 'UTC') COMMENT 'Event time up to which every event is in the table.',
    version UInt64 COMMENT 'Grows with every update.'
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (table_name, subtask)
COMMENT 'How far each table is: the as_of of a figure is the smallest watermark of its table''s current subtasks.';
