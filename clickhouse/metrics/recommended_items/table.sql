-- Every offer of a seller that was shown as a recommendation.
CREATE TABLE {table}
(
    seller_id String CODEC(Default) COMMENT 'Whose offer was shown.',
    minute DateTime('UTC') CODEC(Delta, Default) COMMENT 'Minute in which the list was shown, UTC.',
    recommendation_id String CODEC(Default) COMMENT 'The list.',
    position Int32 CODEC(Default) COMMENT 'Place in the list, from 1.',
    product_id String CODEC(Default) COMMENT 'The product.',
    surface LowCardinality(String) COMMENT 'Where on the page: home, product, cart, search, email.',
    strategy LowCardinality(String) COMMENT 'Recommender that answered.',
    impressions UInt8 COMMENT '1: the sum is the number of impressions.'
)
ENGINE = ReplacingMergeTree
PARTITION BY toYear(minute)
ORDER BY (seller_id, minute, recommendation_id, position)
SETTINGS index_granularity = 512
COMMENT 'Every offer of a seller that was shown as a recommendation.'
