-- The newest trainings of the recommender, what started each, and how it ended.
SELECT
    fromUnixTimestamp64Milli(started_ms) AS started_at,
    toString(trigger) AS started_by,
    toString(outcome) AS ended_with,
    ifNull(version, '') AS model_version,
    events,
    (ended_ms - started_ms) / 1000 AS duration_s,
    peak_memory_mb * 1e6 AS peak_memory
FROM q_trainings(
    before_at = {period_end:DateTime('UTC')},
    before_training_id = '',
    training_id = '',
    version = '',
    limit = 20)
ORDER BY started_at DESC
