-- A payout, at the minute in which it was paid.
SELECT
    seller_id,
    toDateTime(toStartOfMinute(occurred_at), 'UTC') AS minute,
    'paid' AS kind,
    payout_id AS reference_id,
    currency,
    amount_minor AS paid_minor
FROM payout_paid
