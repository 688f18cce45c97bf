-- Reviews of each minute, which job `metrics` adds up.

CREATE TABLE IF NOT EXISTS reviews_minute
(
    minute DateTime('UTC') CODEC(Delta, ZSTD(1)) COMMENT 'Minute in which the reviews were written, UTC.',
    score Int32 CODEC(ZSTD(1)) COMMENT '1 (worst) to 5 (best).',
    reviews UInt64 CODEC(ZSTD(1)) COMMENT 'Reviews with this score.',
    version UInt64 CODEC(Delta, ZSTD(1)) COMMENT 'Grows with every update.'
)
ENGINE = ReplacingMergeTree(version)
PARTITION BY toYear(minute)
ORDER BY (minute, score)
SETTINGS index_granularity = 512
COMMENT 'Reviews in each minute by score.';
