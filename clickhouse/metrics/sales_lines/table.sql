-- What was sold, cancelled and returned: a row for each line of each confirmed order, of its cancellation, and of its returns.
CREATE TABLE {table}
(
    seller_id String CODEC(Default) COMMENT 'Who sold.',
    minute DateTime('UTC') CODEC(Delta, Default) COMMENT 'Minute in which the order was placed, UTC.',
    order_id String CODEC(Default) COMMENT 'The order.',
    kind Enum8('sold' = 1, 'cancelled' = 2, 'returned' = 3) COMMENT 'What happened to the line.',
    return_id String CODEC(Default) COMMENT 'The return; empty for the other kinds.',
    line_number Int32 CODEC(Default) COMMENT 'Position within the order, from 1.',
    product_id String CODEC(Default) COMMENT 'The product.',
    currency LowCardinality(String) COMMENT 'ISO 4217 code of every amount in this row.',
    is_first_of_seller UInt8 COMMENT '1 for the first line of this seller within the order: the sum is the number of orders.',
    is_first_of_product UInt8 COMMENT '1 for the first line of this product of this seller within the order.',
    quantity Int64 CODEC(Default) COMMENT 'Units.',
    amount_minor Int64 CODEC(Default) COMMENT 'Units times their price; for a return, what the shopper got back.',
    discount_amount_minor Int64 CODEC(Default) COMMENT 'Discount of the whole line; not taken off amount_minor.',
    shipping_amount_minor Int64 CODEC(Default) COMMENT 'Shipping of the whole line, paid by the shopper.'
)
ENGINE = ReplacingMergeTree
PARTITION BY toYear(minute)
ORDER BY (seller_id, minute, order_id, kind, return_id, line_number)
SETTINGS index_granularity = 512
COMMENT 'What was sold, cancelled and returned, line by line.'
