-- Counts how often a charge was asked for; the outcome is there once it is settled.
INSERT INTO charges (idempotency_key, amount_minor, currency)
VALUES ($1::uuid, $2::bigint, $3::text)
ON CONFLICT (idempotency_key) DO UPDATE SET tries = charges.tries + 1
RETURNING tries, outcome, reason;
