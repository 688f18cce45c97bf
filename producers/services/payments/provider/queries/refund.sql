-- Refunds once for each idempotency key. A constraint of the table refuses more than the captured amount.
WITH refund AS (
    INSERT INTO charge_refunds (idempotency_key, charge, amount_minor)
    VALUES ($1::uuid, $2::uuid, $3::bigint)
    ON CONFLICT (idempotency_key) DO NOTHING
    RETURNING charge, amount_minor
)
UPDATE charges SET refunded_minor = refunded_minor + refund.amount_minor
FROM refund
WHERE charges.idempotency_key = refund.charge;
