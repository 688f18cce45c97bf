-- Trainings of the recommender with their model cards, all or the one of an id or a version, the newest first.
SELECT
    training.training_id AS training_id,
    toUnixTimestamp64Milli(training.started_at) AS started_ms,
    toUnixTimestamp64Milli(training.ended_at) AS ended_ms,
    training.trigger AS trigger,
    training.trigger_details AS trigger_details,
    training.outcome AS outcome,
    training.reason AS reason,
    training.version AS version,
    training.model AS model,
    training.events AS events,
    toUnixTimestamp64Milli(training.first_event_at) AS first_event_ms,
    toUnixTimestamp64Milli(training.last_event_at) AS last_event_ms,
    training.peak_memory_mb AS peak_memory_mb,
    card.card AS card
FROM
(
    SELECT *
    FROM trainings FINAL
    WHERE (started_at, training_id) < ({before_at:DateTime64(3, 'UTC')}, {before_training_id:String})
        AND ({training_id:String} = '' OR training_id = {training_id:String})
        AND ({version:String} = '' OR version = {version:String})
    ORDER BY started_at DESC, training_id DESC
    LIMIT {limit:UInt32}
) AS training
LEFT JOIN (SELECT version, card FROM model_cards FINAL) AS card ON card.version = training.version
ORDER BY training.started_at DESC, training.training_id DESC
