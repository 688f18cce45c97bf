-- What came back and what was paid back for it: a row for each line of each return, at the minute of the return, and one for each refunded line, at the minute of the refund.
CREATE TABLE {table}
(
    seller_id String CODEC(Default) COMMENT 'To whom it came back.',
    minute DateTime('UTC') CODEC(Delta, Default) COMMENT 'Minute of the return, or of the refund, UTC.',
    order_id String CODEC(Default) COMMENT 'The order.',
    kind Enum8('returned' = 1, 'refunded' = 2) COMMENT 'Whether goods came back or money was paid back; the figures of the other kind are 0.',
    return_id String CODEC(Default) COMMENT 'The return.',
    line_number Int32 CODEC(Default) COMMENT 'Position within the order, from 1.',
    product_id String CODEC(Default) COMMENT 'The product.',
    currency LowCardinality(String) COMMENT 'ISO 4217 code of every amount in this row.',
    reason LowCardinality(String) COMMENT 'Why the shopper returned it; empty for a refund.',
    returns UInt8 COMMENT '1 for the first line of a return: the sum is the number of returns.',
    returns_of_product UInt8 COMMENT '1 for the first line of this product within a return.',
    returned_units Int64 CODEC(Default) COMMENT 'Units that came back.',
    restocked_units Int64 CODEC(Default) COMMENT 'Units that came back and can be sold again.',
    requested_minor Int64 CODEC(Default) COMMENT 'What the shopper is to get back for them.',
    refunds UInt8 COMMENT '1 for the first line of a refunded return.',
    refunds_of_product UInt8 COMMENT '1 for the first line of this product within a refunded return.',
    refunded_units Int64 CODEC(Default) COMMENT 'Units for which money was paid back.',
    refunded_minor Int64 CODEC(Default) COMMENT 'What the shopper got back for them.'
)
ENGINE = ReplacingMergeTree
PARTITION BY toYear(minute)
ORDER BY (seller_id, minute, order_id, kind, return_id, line_number)
SETTINGS index_granularity = 512
COMMENT 'What came back and what was paid back for it, line by line.'
