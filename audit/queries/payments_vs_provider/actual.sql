-- The captured and refunded amount of each payment, from the provider's records.
SELECT
    idempotency_key::text AS payment_id,
    currency,
    amount_minor AS captured_minor,
    refunded_minor
FROM provider.charges
WHERE outcome = 'captured';
