-- Runs in the transaction of the attempt's changes. Returns no row if another attempt has begun meanwhile.
UPDATE stored_responses SET committed_at = now()
WHERE id = $1::bytea AND attempt = $2::integer AND status IS NULL
RETURNING attempt;
