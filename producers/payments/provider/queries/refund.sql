-- Once for each key. The table's checks refuse more than was taken.
WITH refund AS (
    INSERT INTO charge_refunds (idempotency_key, charge, amount_minor)
    VALUES ($1::uuid, $2::uuid, $3::bigint)
    ON CONFLICT (idempotency_key) DO NOTHING
    RETURNING charge, amount_minor
)
UPDATE charges SET refunded_minor = refunded_minor + refund.amount_minor
FROM refund
WHERE charges.idempotency_key = refund.charge;
