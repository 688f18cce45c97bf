-- What a unit of a product costs its seller, from which time on.
CREATE TABLE {table}
(
    seller_id String CODEC(Default) COMMENT 'Who pays it.',
    product_id String CODEC(Default) COMMENT 'The product.',
    valid_from DateTime64(3, 'UTC') CODEC(Delta, Default) COMMENT 'It applies to orders that were placed from then on, until the next valid_from, UTC.',
    version UInt64 CODEC(Default) COMMENT 'Counts the changes of the cost of this valid_from; the highest counts.',
    currency LowCardinality(String) COMMENT 'ISO 4217 code of the cost.',
    unit_cost_minor Int64 CODEC(Default) COMMENT 'Cost of one unit.',
    removed Bool COMMENT 'Whether the seller removed it: the cost of the valid_from before applies.'
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (seller_id, product_id, valid_from)
SETTINGS index_granularity = 512
COMMENT 'What a unit of a product costs its seller, from which time on.'
