-- The people who agreed to a weekly mail with recommendations; nobody else gets one. `send_at` is when the next one is due,
-- `mailed_at` when the last one was sent.
CREATE TABLE recommendation_mails (
    user_id uuid PRIMARY KEY REFERENCES people ON DELETE CASCADE,
    agreed_at timestamptz NOT NULL,
    send_at timestamptz NOT NULL,
    mailed_at timestamptz
);
CREATE INDEX recommendation_mails_due ON recommendation_mails (send_at);
