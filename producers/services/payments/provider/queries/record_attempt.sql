-- Counts the attempts of a charge. The outcome is NULL until the charge is settled.
INSERT INTO charges (idempotency_key, amount_minor, currency)
VALUES ($1::uuid, $2::bigint, $3::text)
ON CONFLICT (idempotency_key) DO UPDATE SET tries = charges.tries + 1
RETURNING tries, outcome, reason;
