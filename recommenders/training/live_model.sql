-- The oldest and the newest event that the model in use learned from. No row if a newer model was published: somebody rolled back.
SELECT first_event_at, last_event_at
FROM
(
    SELECT version, first_event_at, last_event_at
    FROM trainings FINAL
    WHERE outcome = 'published'
    ORDER BY ended_at DESC
    LIMIT 1
)
WHERE version = {version:String} AND first_event_at IS NOT NULL AND last_event_at IS NOT NULL
