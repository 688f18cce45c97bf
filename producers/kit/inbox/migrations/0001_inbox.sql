-- What was acted on: an event's id, or `topic/partition/offset` of a message that was rejected.
CREATE TABLE inbox (
    id text PRIMARY KEY,
    topic text NOT NULL,
    acted_at timestamptz NOT NULL DEFAULT now()
);
