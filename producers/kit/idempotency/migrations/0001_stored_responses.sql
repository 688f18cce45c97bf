-- Requests with an Idempotency-Key and their responses. `id` is a keyed hash of the sender, the route and the key. The
-- columns of the response are NULL until the request has ended. `response` is encrypted with a key that derives from the
-- Idempotency-Key, which is stored nowhere.
CREATE TABLE stored_responses (
    id bytea PRIMARY KEY,
    request_sha256 bytea NOT NULL,
    attempt integer NOT NULL DEFAULT 1,
    begun_at timestamptz NOT NULL DEFAULT now(),
    -- When the attempt's changes were committed; NULL if it has changed nothing yet.
    committed_at timestamptz,
    status smallint CHECK (status BETWEEN 200 AND 599),
    response bytea CHECK ((response IS NULL) = (status IS NULL))
);

CREATE INDEX stored_responses_by_age ON stored_responses USING brin (begun_at);
