-- Every confirmed order of each customer of a seller.
CREATE TABLE {table}
(
    seller_id String CODEC(Default) COMMENT 'Who sold.',
    shopper_id String CODEC(Default) COMMENT 'Who bought.',
    minute DateTime('UTC') CODEC(Delta, Default) COMMENT 'Minute in which the order was placed, UTC.',
    order_id String CODEC(Default) COMMENT 'The order.',
    currency LowCardinality(String) COMMENT 'ISO 4217 code of the order.',
    orders UInt8 COMMENT '1: the sum is the number of orders.'
)
ENGINE = ReplacingMergeTree
ORDER BY (seller_id, shopper_id, minute, order_id)
SETTINGS index_granularity = 512
COMMENT 'Every confirmed order of each customer of a seller.'
