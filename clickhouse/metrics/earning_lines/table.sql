-- What sellers earned and what they were paid: a row for each line that was sold, cancelled or refunded, at the minute in which that happened, and one for each payout. Its own rows are payouts and refunds that no sale is known of; the others are those of sales_lines.
CREATE TABLE {table}
(
    seller_id String CODEC(Default) COMMENT 'Who earned it.',
    minute DateTime('UTC') CODEC(Delta, Default) COMMENT 'Minute of the refund or the payout, UTC.',
    order_id String CODEC(Default) COMMENT 'The order; empty for a payout.',
    kind Enum8('sold' = 1, 'cancelled' = 2, 'refunded' = 3, 'paid' = 4) COMMENT 'What happened; the figures of the other kinds are 0.',
    reference_id String CODEC(Default) COMMENT 'The return of a refund, or the payout.',
    line_number Int32 CODEC(Default) COMMENT 'Position within the order, from 1; 0 for a payout.',
    product_id String CODEC(Default) COMMENT 'The product; empty for a payout.',
    units Int64 CODEC(Default) COMMENT 'Units that were refunded, below zero.',
    currency LowCardinality(String) COMMENT 'ISO 4217 code of every amount in this row.',
    refunded_minor Int64 CODEC(Default) COMMENT 'What the shopper got back for returned units, and the marketplace of its part of a discount.',
    earned_minor Int64 CODEC(Default) COMMENT 'What the row adds to what the seller is owed.',
    paid_minor Int64 CODEC(Default) COMMENT 'What was paid out.'
)
ENGINE = ReplacingMergeTree
PARTITION BY toYear(minute)
ORDER BY (seller_id, minute, order_id, kind, reference_id, line_number)
SETTINGS index_granularity = 512
COMMENT 'Payouts, and refunds that no sale is known of.'
