-- What was sold, cancelled and returned: a row for each confirmed order, for its cancellation, and for each of its returns.
CREATE TABLE {table}
(
    minute DateTime('UTC') CODEC(Delta, Default) COMMENT 'Minute in which the order was placed, UTC.',
    order_id String CODEC(Default) COMMENT 'The order.',
    kind Enum8('sold' = 1, 'cancelled' = 2, 'returned' = 3) COMMENT 'What happened to the order; the figures of the other kinds are 0.',
    return_id String CODEC(Default) COMMENT 'The return; empty for the other kinds.',
    currency LowCardinality(String) COMMENT 'ISO 4217 code of every amount in this row.',
    orders UInt8 COMMENT '1 for a sale.',
    lines UInt32 CODEC(Default) COMMENT 'Order lines; 0 where the source recorded none.',
    units Int64 CODEC(Default) COMMENT 'Units that were sold.',
    gross_minor Int64 CODEC(Default) COMMENT 'Units times their prices.',
    discount_minor Int64 CODEC(Default) COMMENT 'Discounts; not taken off gross_minor.',
    shipping_minor Int64 CODEC(Default) COMMENT 'Shipping paid by the shopper.',
    cancelled_orders UInt8 COMMENT '1 for a cancellation.',
    cancelled_units Int64 CODEC(Default) COMMENT 'Units that were cancelled.',
    cancelled_gross_minor Int64 CODEC(Default) COMMENT 'gross_minor of what was cancelled.',
    cancelled_discount_minor Int64 CODEC(Default) COMMENT 'discount_minor of what was cancelled.',
    cancelled_shipping_minor Int64 CODEC(Default) COMMENT 'shipping_minor of what was cancelled.',
    returned_units Int64 CODEC(Default) COMMENT 'Units that came back and were refunded.',
    returned_minor Int64 CODEC(Default) COMMENT 'What the shopper got back for them, and the marketplace of its part of a discount.',
    revenue_minor Int64 CODEC(Default) COMMENT 'Gross less discount of a sale; the same below zero for a cancellation; returned_minor, below zero, for a return.'
)
ENGINE = ReplacingMergeTree
PARTITION BY toYear(minute)
ORDER BY (minute, order_id, kind, return_id)
SETTINGS index_granularity = 1024
COMMENT 'What was sold, cancelled and returned, order by order.'
