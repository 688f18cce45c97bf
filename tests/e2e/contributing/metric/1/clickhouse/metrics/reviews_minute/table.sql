-- Reviews in each minute by score.
CREATE TABLE {table}
(
    minute DateTime('UTC') CODEC(Delta, Default) COMMENT 'Minute in which the review was written, UTC.',
    event_id String CODEC(Default) COMMENT 'The event; the same fact sent twice has the same id.',
    score Int32 CODEC(Default) COMMENT '1 (worst) to 5 (best).'
)
ENGINE = ReplacingMergeTree
PARTITION BY toYear(minute)
ORDER BY (minute, event_id)
SETTINGS index_granularity = 1024
COMMENT 'Every review, in the order of time.'
