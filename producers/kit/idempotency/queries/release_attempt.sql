-- Forgets an attempt that has changed nothing, so that the next request with this key begins at once.
DELETE FROM stored_responses
WHERE id = $1::bytea AND attempt = $2::integer AND status IS NULL AND committed_at IS NULL;
