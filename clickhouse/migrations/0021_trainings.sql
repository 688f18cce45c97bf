-- Every training of the recommender, also those that failed or were killed before they had a model card.

CREATE TABLE IF NOT EXISTS trainings
(
    training_id String CODEC(ZSTD(1)) COMMENT 'UUIDv7 of the training; the version if it was trained before trainings were recorded.',
    started_at DateTime64(3, 'UTC') COMMENT 'When it began, UTC.',
    ended_at Nullable(DateTime64(3, 'UTC')) COMMENT 'When it ended, UTC; null while it runs, and if it was interrupted.',
    trigger LowCardinality(String) COMMENT 'What started it: first, scheduled, drift, requested; not_recorded before trainings were recorded.',
    trigger_details String CODEC(ZSTD(1)) COMMENT 'Figures of the drift that started it, or empty.',
    outcome LowCardinality(String) COMMENT 'running, published, kept, too_little, no_room, failed, stopped or interrupted.',
    reason String CODEC(ZSTD(1)) COMMENT 'Why it has this outcome.',
    version Nullable(String) COMMENT 'The version of the model, which has a row in model_cards; null if the training ended before.',
    model Nullable(String) COMMENT 'The model that was chosen.',
    events Nullable(UInt64) COMMENT 'The number of events that it learned from.',
    first_event_at Nullable(DateTime64(3, 'UTC')) COMMENT 'When the oldest of these events happened, UTC.',
    last_event_at Nullable(DateTime64(3, 'UTC')) COMMENT 'When the newest of these events happened, UTC.',
    peak_memory_mb Nullable(Float64) COMMENT 'The peak memory of the process in MB; null if it was killed.',
    recorded_at DateTime64(3, 'UTC') DEFAULT now64(3) COMMENT 'When ClickHouse took the row; of two rows of a training the later stays.'
)
ENGINE = ReplacingMergeTree(recorded_at)
ORDER BY (started_at, training_id)
SETTINGS index_granularity = 1024
COMMENT 'Every training of the recommender, with what started it and how it ended.';

INSERT INTO trainings
    (training_id, started_at, ended_at, trigger, trigger_details, outcome, reason, version, model, events,
    first_event_at, last_event_at, peak_memory_mb)
SELECT
    version,
    trained_at,
    trained_at,
    'not_recorded',
    '',
    if(published, 'published', 'kept'),
    reason,
    version,
    model,
    JSONExtract(card, 'data', 'events', 'Nullable(UInt64)'),
    parseDateTime64BestEffortOrNull(JSONExtractString(card, 'data', 'first_at'), 3, 'UTC'),
    parseDateTime64BestEffortOrNull(JSONExtractString(card, 'data', 'last_at'), 3, 'UTC'),
    JSONExtract(card, 'peak_memory_mb', 'Nullable(Float64)')
FROM model_cards FINAL
WHERE version NOT IN (SELECT ifNull(version, '') FROM trainings);
