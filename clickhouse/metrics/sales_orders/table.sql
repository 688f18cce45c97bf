-- What was sold, cancelled and returned: a row for each confirmed order, for its cancellation, and for each of its returns.
CREATE TABLE {table}
(
    minute DateTime('UTC') CODEC(Delta, Default) COMMENT 'Minute in which the order was placed, UTC.',
    order_id String CODEC(Default) COMMENT 'The order.',
    kind Enum8('sold' = 1, 'cancelled' = 2, 'returned' = 3) COMMENT 'What happened to the order.',
    return_id String CODEC(Default) COMMENT 'The return; empty for the other kinds.',
    currency LowCardinality(String) COMMENT 'ISO 4217 code of every amount in this row.',
    number_of_lines UInt32 CODEC(Default) COMMENT 'Order lines; 0 where the source recorded none.',
    quantity Int64 CODEC(Default) COMMENT 'Units of all lines.',
    amount_minor Int64 CODEC(Default) COMMENT 'Units times their prices; for a return, what the shopper got back.',
    discount_amount_minor Int64 CODEC(Default) COMMENT 'Discounts; not taken off amount_minor.',
    shipping_amount_minor Int64 CODEC(Default) COMMENT 'Shipping paid by the shopper.'
)
ENGINE = ReplacingMergeTree
PARTITION BY toYear(minute)
ORDER BY (minute, order_id, kind, return_id)
SETTINGS index_granularity = 1024
COMMENT 'What was sold, cancelled and returned, order by order.'
