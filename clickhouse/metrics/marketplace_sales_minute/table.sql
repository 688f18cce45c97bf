-- What the whole marketplace sold in each minute: orders that were confirmed, and what of them was cancelled or came back since.
CREATE TABLE {table}
(
    minute DateTime('UTC') CODEC(Delta, Default) COMMENT 'Minute in which the orders were placed, UTC.',
    currency LowCardinality(String) COMMENT 'ISO 4217 code of every amount in this row.',
    orders UInt64 CODEC(Default) COMMENT 'Orders that were confirmed, those without lines included.',
    lines UInt64 CODEC(Default) COMMENT 'Order lines.',
    units Int64 CODEC(Default) COMMENT 'Units.',
    gross_minor Int64 CODEC(Default) COMMENT 'Units times their prices.',
    discount_minor Int64 CODEC(Default) COMMENT 'Discounts; not taken off gross_minor.',
    shipping_minor Int64 CODEC(Default) COMMENT 'Shipping paid by the shoppers.',
    cancelled_orders UInt64 CODEC(Default) COMMENT 'Of these orders, those cancelled since.',
    cancelled_units Int64 CODEC(Default) COMMENT 'Units of them.',
    cancelled_gross_minor Int64 CODEC(Default) COMMENT 'Units of them times their prices.',
    cancelled_discount_minor Int64 CODEC(Default) COMMENT 'Discounts on them.',
    cancelled_shipping_minor Int64 CODEC(Default) COMMENT 'Shipping the shoppers had paid.',
    returned_units Int64 CODEC(Default) COMMENT 'Units that came back since and were refunded.',
    returned_minor Int64 CODEC(Default) COMMENT 'What the shoppers got back for them, and the marketplace of its part of discounts.',
    revenue_minor Int64 CODEC(Default) COMMENT 'Revenue: gross less discounts, what was cancelled and what came back.',
    computed_at DateTime64(3, 'UTC') CODEC(Delta, Default) COMMENT 'When the sums were computed; the newest row of a key counts.'
)
ENGINE = ReplacingMergeTree(computed_at)
PARTITION BY toYear(minute)
ORDER BY (minute, currency)
COMMENT 'What the whole marketplace sold in each minute.'
