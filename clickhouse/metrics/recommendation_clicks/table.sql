-- Every click on a recommendation, by product.
CREATE TABLE {table}
(
    product_id String CODEC(Default) COMMENT 'The product.',
    clicked_at DateTime64(3, 'UTC') CODEC(Delta, Default) COMMENT 'When, UTC.',
    event_id String CODEC(Default) COMMENT 'The click.',
    recommendation_id String CODEC(Default) COMMENT 'The list.',
    shopper_id String CODEC(Default) COMMENT 'The shopper; empty if the visit is not known to be theirs.'
)
ENGINE = ReplacingMergeTree
ORDER BY (product_id, clicked_at, event_id)
SETTINGS index_granularity = 512
COMMENT 'Every click on a recommendation, by product.'
