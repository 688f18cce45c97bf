-- Begins the first attempt of a request, or another one if the last attempt has changed nothing and is older than $3.
-- Returns the number of the attempt, and no row if the request can't begin.
INSERT INTO stored_responses AS stored (id, request_sha256)
VALUES ($1::bytea, $2::bytea)
ON CONFLICT (id) DO UPDATE SET attempt = stored.attempt + 1, begun_at = now()
WHERE stored.status IS NULL
    AND stored.committed_at IS NULL
    AND stored.begun_at < now() - $3::interval
    AND stored.request_sha256 = excluded.request_sha256
RETURNING attempt;
