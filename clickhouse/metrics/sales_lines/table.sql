-- What was sold, cancelled and returned: a row for each line of each confirmed order, of its cancellation, and of its returns.
CREATE TABLE {table}
(
    seller_id String CODEC(Default) COMMENT 'Who sold.',
    minute DateTime('UTC') CODEC(Delta, Default) COMMENT 'Minute in which the order was placed, UTC.',
    order_id String CODEC(Default) COMMENT 'The order.',
    kind Enum8('sold' = 1, 'cancelled' = 2, 'returned' = 3) COMMENT 'What happened to the line; the figures of the other kinds are 0.',
    return_id String CODEC(Default) COMMENT 'The return; empty for the other kinds.',
    line_number Int32 CODEC(Default) COMMENT 'Position within the order, from 1.',
    product_id String CODEC(Default) COMMENT 'The product.',
    shopper_id String CODEC(Default) COMMENT 'Who bought.',
    booked_minute DateTime('UTC') CODEC(Delta, Default) COMMENT 'Minute of the confirmation, the cancellation or the refund, UTC.',
    currency LowCardinality(String) COMMENT 'ISO 4217 code of every amount in this row.',
    orders UInt8 COMMENT '1 for the first line of this seller within the order: the sum is the number of orders.',
    orders_of_product UInt8 COMMENT '1 for the first line of this product of this seller within the order.',
    lines UInt8 COMMENT '1 for a line that was sold.',
    units Int64 CODEC(Default) COMMENT 'Units that were sold.',
    gross_minor Int64 CODEC(Default) COMMENT 'Units times their price.',
    discount_minor Int64 CODEC(Default) COMMENT 'Discount of the whole line; not taken off gross_minor.',
    shipping_minor Int64 CODEC(Default) COMMENT 'Shipping of the whole line, paid by the shopper.',
    tax_minor Int64 CODEC(Default) COMMENT 'Tax of the whole line, which the shopper paid in addition to its price.',
    cancelled_orders UInt8 COMMENT 'orders of a line that was cancelled.',
    cancelled_orders_of_product UInt8 COMMENT 'orders_of_product of a line that was cancelled.',
    cancelled_units Int64 CODEC(Default) COMMENT 'Units that were cancelled.',
    cancelled_gross_minor Int64 CODEC(Default) COMMENT 'gross_minor of what was cancelled.',
    cancelled_discount_minor Int64 CODEC(Default) COMMENT 'discount_minor of what was cancelled.',
    cancelled_shipping_minor Int64 CODEC(Default) COMMENT 'shipping_minor of what was cancelled.',
    cancelled_tax_minor Int64 CODEC(Default) COMMENT 'tax_minor of what was cancelled.',
    returned_units Int64 CODEC(Default) COMMENT 'Units that came back and were refunded.',
    returned_minor Int64 CODEC(Default) COMMENT 'What the shopper got back for them, and the marketplace of its part of a discount.',
    revenue_minor Int64 CODEC(Default) COMMENT 'Gross less discount of a sale; the same below zero for a cancellation; returned_minor, below zero, for a return.',
    commission_minor Int64 CODEC(Default) COMMENT 'What the marketplace keeps of the line, rounded half up; below zero for a cancellation. It keeps its commission of a return.',
    voucher_minor Int64 CODEC(Default) COMMENT 'The part of discount_minor that is of the seller''s vouchers; below zero for a cancellation.',
    marketplace_minor Int64 CODEC(Default) COMMENT 'What the marketplace pays of the line in the shopper''s place, beside the discount; below zero for what a cancellation or a return gives back of it.',
    INDEX booked_minutes booked_minute TYPE minmax GRANULARITY 1
)
ENGINE = ReplacingMergeTree
PARTITION BY toYear(minute)
ORDER BY (seller_id, minute, order_id, kind, return_id, line_number)
SETTINGS index_granularity = 512
COMMENT 'What was sold, cancelled and returned, line by line.'
