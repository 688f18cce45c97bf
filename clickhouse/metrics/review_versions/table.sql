-- Every version of a review of a seller that was submitted, and what became of it last.
CREATE TABLE {table}
(
    seller_id String CODEC(Default) COMMENT 'The seller that it is about.',
    minute DateTime('UTC') CODEC(Delta, Default) COMMENT 'Minute in which it was written, UTC.',
    order_id String CODEC(Default) COMMENT 'The order.',
    review_id String CODEC(Default) COMMENT 'The review. Written anew, it keeps its id.',
    submitted_at DateTime64(3, 'UTC') CODEC(Delta, Default) COMMENT 'When this version of it was written, UTC.',
    product_id String CODEC(Default) COMMENT 'The product that it is about; empty if it is about no single one.',
    score Int32 CODEC(Default) COMMENT '1 (worst) to 5 (best); 0 if it was rejected by an event without a score.',
    status Enum8('submitted' = 0, 'published' = 1, 'rejected' = 2, 'withdrawn' = 3) COMMENT 'What became of it: withdrawn also if a newer version replaced it after its publication.',
    change UInt64 CODEC(Default) COMMENT 'When it got this status: Unix milliseconds × 4 + status. The highest counts.'
)
ENGINE = ReplacingMergeTree(change)
PARTITION BY toYear(minute)
ORDER BY (seller_id, minute, order_id, review_id, submitted_at)
SETTINGS index_granularity = 512
COMMENT 'Every version of a review of a seller that was submitted, and what became of it last.'
