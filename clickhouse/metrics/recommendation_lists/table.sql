-- Every list of recommendations that was shown, with the number of its offers.
CREATE TABLE {table}
(
    minute DateTime('UTC') CODEC(Delta, Default) COMMENT 'Minute in which the list was shown, UTC.',
    recommendation_id String CODEC(Default) COMMENT 'The list.',
    impressions UInt32 CODEC(Default) COMMENT 'Number of its products whose seller is known.'
)
ENGINE = ReplacingMergeTree
PARTITION BY toYear(minute)
ORDER BY (minute, recommendation_id)
SETTINGS index_granularity = 1024
COMMENT 'Every list of recommendations that was shown, with the number of its offers.'
