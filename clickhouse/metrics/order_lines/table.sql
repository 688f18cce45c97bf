-- Every line of every order placed, cancelled ones included.
CREATE TABLE {table}
(
    seller_id String CODEC(Default) COMMENT 'Who sells and ships this line.',
    placed_at DateTime64(3, 'UTC') CODEC(Delta, Default) COMMENT 'When the order was placed, UTC.',
    order_id String CODEC(Default) COMMENT 'The order.',
    line_number Int32 CODEC(Default) COMMENT 'Position within the order, from 1.',
    shopper_id String CODEC(Default) COMMENT 'Who bought: the person, not the session.',
    product_id String CODEC(Default) COMMENT 'The product.',
    currency LowCardinality(String) COMMENT 'ISO 4217 code of every amount in this row.',
    quantity Int32 CODEC(Default) COMMENT 'Units.',
    unit_price_minor Int64 CODEC(Default) COMMENT 'Price of one unit.',
    gross_minor Int64 CODEC(Default) COMMENT 'quantity times unit_price_minor.',
    discount_minor Int64 CODEC(Default) COMMENT 'Discount of the whole line; not taken off gross_minor.',
    shipping_minor Int64 CODEC(Default) COMMENT 'Shipping of the whole line, paid by the shopper.',
    tax_minor Int64 CODEC(Default) COMMENT 'Tax of the whole line.',
    commission_bp Int32 CODEC(Default) COMMENT 'The marketplace''s commission in basis points, frozen when the order was placed.',
    marketplace_minor Int64 CODEC(Default) COMMENT 'What the marketplace pays of the line in the shopper''s place, beside discount_minor.',
    line_voucher_id String CODEC(Default) COMMENT 'The voucher that lowered the price of this line; empty without one.',
    order_voucher_id String CODEC(Default) COMMENT 'The voucher that lowered the order, this line included; empty without one.'
)
ENGINE = ReplacingMergeTree
PARTITION BY toYear(placed_at)
ORDER BY (seller_id, placed_at, order_id, line_number)
SETTINGS index_granularity = 512
COMMENT 'Every line of every order placed, cancelled ones included.'
