-- With how many decimals the amounts of a currency are stored, so that no release can read them with others.

CREATE TABLE IF NOT EXISTS stored_minor_digits
(
    currency LowCardinality(String) COMMENT 'ISO 4217 code.',
    digits UInt8 COMMENT 'The decimals of its minor unit: 2 for cents.'
)
ENGINE = ReplacingMergeTree
ORDER BY currency
COMMENT 'The decimals with which amounts of the shop''s currency are stored.';
