-- Every listing, change and delisting of an offer, with its price from then on.
CREATE TABLE {table}
(
    seller_id String CODEC(Default) COMMENT 'Whose offer.',
    product_id String CODEC(Default) COMMENT 'The product.',
    at DateTime64(3, 'UTC') CODEC(Delta, Default) COMMENT 'When, UTC.',
    event_id String CODEC(Default) COMMENT 'The event.',
    is_listed UInt8 COMMENT '1 if the product is on offer from then on, 0 for a delisting.',
    currency LowCardinality(String) COMMENT 'ISO 4217 code of the price; empty for a delisting.',
    price_minor Int64 CODEC(Default) COMMENT 'Price of one unit from then on; 0 for a delisting.'
)
ENGINE = ReplacingMergeTree
ORDER BY (seller_id, product_id, at, event_id)
SETTINGS index_granularity = 512
COMMENT 'Every listing, change and delisting of an offer, with its price from then on.'
