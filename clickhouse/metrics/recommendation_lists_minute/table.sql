-- Offers of all sellers that were shown as recommendations in each minute.
CREATE TABLE {table}
(
    minute DateTime('UTC') CODEC(Delta, Default) COMMENT 'Minute in which the lists were shown, UTC.',
    lists UInt64 CODEC(Default) COMMENT 'Lists.',
    impressions UInt64 CODEC(Default) COMMENT 'Offers in them.',
    computed_at DateTime64(3, 'UTC') CODEC(Delta, Default) COMMENT 'When the sums were computed; the newest row of a key counts.'
)
ENGINE = ReplacingMergeTree(computed_at)
PARTITION BY toYear(minute)
ORDER BY minute
COMMENT 'Offers of all sellers that were shown as recommendations in each minute.'
