-- The first outcome is final, however often and for whatever the provider is called.
UPDATE charges
SET outcome = coalesce(outcome, $2::text), reason = CASE WHEN outcome IS NULL THEN $3::text ELSE reason END
WHERE idempotency_key = $1::uuid
RETURNING outcome, reason;
