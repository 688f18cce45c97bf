-- What every training chose and how good it was, published or not: a row a training, kept for ever.
CREATE TABLE IF NOT EXISTS model_cards
(
    version String COMMENT 'The model''s version: when it was trained.',
    trained_at DateTime64(3, 'UTC') COMMENT 'When, UTC.',
    model LowCardinality(String) COMMENT 'The model that was chosen.',
    published Bool COMMENT 'Whether it was taken into use.',
    reason String CODEC(ZSTD(1)) COMMENT 'Why it was, or was not.',
    card String CODEC(ZSTD(1)) COMMENT 'The model card as JSON: data, split, settings, figures with intervals, time, memory.'
)
ENGINE = ReplacingMergeTree
ORDER BY (trained_at, version)
COMMENT 'The card of every recommender that was trained.';
