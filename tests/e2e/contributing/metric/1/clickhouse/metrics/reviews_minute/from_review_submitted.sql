-- A review: one row.
SELECT
    toDateTime(toStartOfMinute(occurred_at), 'UTC') AS minute,
    event_id,
    score
FROM review_submitted
