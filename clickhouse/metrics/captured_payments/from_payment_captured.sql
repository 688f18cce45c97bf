-- A payment: one row.
SELECT
    toDateTime(toStartOfMinute(occurred_at), 'UTC') AS minute,
    event_id,
    method,
    currency,
    amount_minor
FROM payment_captured
