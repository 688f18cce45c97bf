-- The sums that materialised views fill. The table order_lines is the platform's own.

CREATE TABLE seller_sales_minute
(
    seller_id String, minute DateTime('UTC'), currency LowCardinality(String), orders UInt64, lines UInt64,
    units Int64, gross_minor Int64, discount_minor Int64, shipping_minor Int64
)
ENGINE = SummingMergeTree PARTITION BY toYYYYMM(minute) ORDER BY (seller_id, minute, currency);

CREATE TABLE product_sales_minute
(
    seller_id String, product_id String, minute DateTime('UTC'), currency LowCardinality(String), orders UInt64,
    lines UInt64, units Int64, gross_minor Int64, discount_minor Int64, shipping_minor Int64
)
ENGINE = SummingMergeTree PARTITION BY toYYYYMM(minute) ORDER BY (seller_id, product_id, minute, currency);

CREATE TABLE marketplace_sales_minute
(
    minute DateTime('UTC'), currency LowCardinality(String), orders UInt64, lines UInt64,
    units Int64, gross_minor Int64, discount_minor Int64, shipping_minor Int64
)
ENGINE = SummingMergeTree PARTITION BY toYYYYMM(minute) ORDER BY (minute, currency);

CREATE TABLE payments_minute
(
    minute DateTime('UTC'), method LowCardinality(String), currency LowCardinality(String), payments UInt64,
    amount_minor Int64
)
ENGINE = SummingMergeTree PARTITION BY toYYYYMM(minute) ORDER BY (minute, method, currency);

CREATE TABLE order_state
(
    order_id String,
    placed_at SimpleAggregateFunction(max, Nullable(DateTime64(3, 'UTC'))),
    confirmed_at SimpleAggregateFunction(max, Nullable(DateTime64(3, 'UTC'))),
    shipped_at SimpleAggregateFunction(max, Nullable(DateTime64(3, 'UTC'))),
    delivered_at SimpleAggregateFunction(max, Nullable(DateTime64(3, 'UTC')))
)
ENGINE = AggregatingMergeTree ORDER BY order_id;
