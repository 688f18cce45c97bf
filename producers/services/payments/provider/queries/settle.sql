-- Saves the outcome of a charge unless it has one already: the first outcome, of a capture or a void, is final.
UPDATE charges
SET outcome = coalesce(outcome, $2::text), reason = CASE WHEN outcome IS NULL THEN $3::text ELSE reason END
WHERE idempotency_key = $1::uuid
RETURNING outcome, reason;
