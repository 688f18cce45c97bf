-- What this service must tell others, and no topic may say because it is about a person. A request is sent until it is
-- answered, and deleted then (`producers/kit/requests/sender.py`). `refused` is the HTTP status of a refusal, which is a bug:
-- the request stays until somebody deletes it, or sets `refused` to NULL to send it again.
CREATE TABLE requests (
    position bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    service text NOT NULL,
    method text NOT NULL CHECK (method IN ('POST', 'PUT')),
    path text NOT NULL,
    body jsonb NOT NULL,
    requested_at timestamptz NOT NULL DEFAULT now(),
    refused integer CHECK (refused BETWEEN 400 AND 499)
);
CREATE INDEX requests_to_send ON requests (service, position) WHERE refused IS NULL;
