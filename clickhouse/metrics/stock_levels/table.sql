-- The stock of each product of a seller after each of its changes.
CREATE TABLE {table}
(
    seller_id String CODEC(Default) COMMENT 'Whose stock.',
    product_id String CODEC(Default) COMMENT 'The product.',
    version Int64 CODEC(Delta, Default) COMMENT 'Counts the changes; the highest is the current stock. Those of a history that was loaded are negative.',
    changed_at DateTime64(3, 'UTC') CODEC(Delta, Default) COMMENT 'When it changed, UTC.',
    on_hand Int32 CODEC(Default) COMMENT 'Units in the hands of the seller.',
    available Int32 CODEC(Default) COMMENT 'Units that can be bought: on_hand less those that are held for orders.'
)
ENGINE = ReplacingMergeTree
ORDER BY (seller_id, product_id, version)
SETTINGS index_granularity = 512
COMMENT 'The stock of each product of a seller after each of its changes.'
