-- The score of each review of a seller.
CREATE TABLE {table}
(
    seller_id String CODEC(Default) COMMENT 'The seller that it is about.',
    minute DateTime('UTC') CODEC(Delta, Default) COMMENT 'Minute in which it was written, UTC.',
    order_id String CODEC(Default) COMMENT 'The order.',
    review_id String CODEC(Default) COMMENT 'The review.',
    product_id String CODEC(Default) COMMENT 'The product that it is about; empty if it is about no single one.',
    reviews UInt8 COMMENT '1: the sum is the number of reviews.',
    score Int32 CODEC(Default) COMMENT '1 (worst) to 5 (best).'
)
ENGINE = ReplacingMergeTree
PARTITION BY toYear(minute)
ORDER BY (seller_id, minute, order_id, review_id)
SETTINGS index_granularity = 512
COMMENT 'The score of each review of a seller.'
