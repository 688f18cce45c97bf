-- Rules of sellers. `evaluated_until` is the end of the last hour, day or week that was evaluated. `version` counts changes.
-- `person_id` is who gets the mails; `address_hint` is their masked address. NULL if they have left or were erased.
CREATE TABLE rules (
    rule_id uuid PRIMARY KEY,
    seller_id text NOT NULL CHECK (length(seller_id) BETWEEN 1 AND 128),
    name text NOT NULL CHECK (length(name) BETWEEN 1 AND 100),
    version integer NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL,
    metric text NOT NULL,
    product_id text,
    window_length text NOT NULL CHECK (window_length IN ('hour', 'day', 'week')),
    condition jsonb NOT NULL,
    severity text NOT NULL CHECK (severity IN ('info', 'warning', 'critical')),
    fires_after integer NOT NULL CHECK (fires_after BETWEEN 1 AND 24),
    resolves_after integer NOT NULL CHECK (resolves_after BETWEEN 1 AND 24),
    distance_minutes integer NOT NULL CHECK (distance_minutes >= 15),
    repeat_minutes integer CHECK (repeat_minutes >= distance_minutes),
    quiet_start time,
    quiet_end time CHECK ((quiet_end IS NULL) = (quiet_start IS NULL) AND quiet_end <> quiet_start),
    timezone text NOT NULL,
    target text NOT NULL CHECK (target IN ('page', 'email', 'webhook')),
    person_id uuid,
    address_hint text,
    url text CHECK ((url IS NOT NULL) = (target = 'webhook')),
    -- Encrypted with a key that derives from `internal_secret`.
    sealed_secret bytea CHECK ((sealed_secret IS NOT NULL) = (target = 'webhook')),
    is_enabled boolean NOT NULL DEFAULT true,
    disabled_reason text CHECK (disabled_reason IS NULL OR NOT is_enabled),
    evaluate_at timestamptz NOT NULL,
    evaluated_until timestamptz NOT NULL,
    state text NOT NULL DEFAULT 'normal'
    CHECK (state IN ('normal', 'pending', 'firing', 'recovering', 'no_data')),
    state_count integer NOT NULL DEFAULT 0 CHECK (state_count >= 0),
    -- The open alert.
    alert_id uuid CHECK ((alert_id IS NOT NULL) = (state IN ('firing', 'recovering'))),
    last_value double precision,
    last_message_at timestamptz,
    -- Why the last evaluation failed.
    problem text
);
CREATE INDEX rules_of_seller ON rules (seller_id, rule_id);
CREATE INDEX rules_by_evaluation ON rules (evaluate_at) WHERE is_enabled;
CREATE INDEX rules_of_person ON rules (person_id);

-- What `alert_raised` reported: that an alert fires, or is resolved. Never deleted.
CREATE TABLE alert_steps (
    alert_id uuid NOT NULL,
    status text NOT NULL CHECK (status IN ('firing', 'resolved')),
    occurred_at timestamptz NOT NULL,
    seller_id text NOT NULL,
    rule_id uuid NOT NULL,
    PRIMARY KEY (alert_id, status)
);

-- Messages of rules: the history, and what waits to be sent. `content` is what a webhook gets.
CREATE TABLE messages (
    message_id uuid PRIMARY KEY,
    seller_id text NOT NULL,
    rule_id uuid NOT NULL REFERENCES rules ON DELETE CASCADE,
    alert_id uuid,
    kind text NOT NULL CHECK (kind IN ('fired', 'repeated', 'resolved', 'test')),
    status text NOT NULL CHECK (status IN ('waiting', 'sent', 'failed', 'skipped')),
    subject text NOT NULL,
    body text NOT NULL,
    content jsonb NOT NULL,
    created_at timestamptz NOT NULL,
    send_at timestamptz NOT NULL,
    sent_at timestamptz CHECK ((sent_at IS NOT NULL) = (status = 'sent')),
    attempts integer NOT NULL DEFAULT 0,
    error text
);
CREATE INDEX messages_of_seller ON messages (seller_id, message_id);
CREATE INDEX messages_of_rule ON messages (rule_id, created_at);
CREATE INDEX messages_of_alert ON messages (alert_id);
CREATE INDEX messages_to_send ON messages (send_at) WHERE status = 'waiting';
CREATE INDEX messages_by_age ON messages (created_at);

-- Reports by mail. `covered_until` is the end of the last period that was sent.
CREATE TABLE reports (
    report_id uuid PRIMARY KEY,
    seller_id text NOT NULL CHECK (length(seller_id) BETWEEN 1 AND 128),
    name text NOT NULL CHECK (length(name) BETWEEN 1 AND 100),
    period text NOT NULL CHECK (period IN ('day', 'week', 'month')),
    metrics text[] NOT NULL CHECK (cardinality(metrics) BETWEEN 1 AND 20),
    timezone text NOT NULL,
    hour integer NOT NULL CHECK (hour BETWEEN 0 AND 23),
    person_id uuid,
    address_hint text,
    is_enabled boolean NOT NULL DEFAULT true,
    disabled_reason text CHECK (disabled_reason IS NULL OR NOT is_enabled),
    created_at timestamptz NOT NULL,
    send_at timestamptz NOT NULL,
    covered_until timestamptz NOT NULL,
    problem text
);
CREATE INDEX reports_of_seller ON reports (seller_id, report_id);
CREATE INDEX reports_to_send ON reports (send_at) WHERE is_enabled;
CREATE INDEX reports_of_person ON reports (person_id);

-- Each period of a report that was sent.
CREATE TABLE report_mails (
    report_id uuid NOT NULL REFERENCES reports ON DELETE CASCADE,
    period_start timestamptz NOT NULL,
    period_end timestamptz NOT NULL CHECK (period_end > period_start),
    sent_at timestamptz NOT NULL,
    PRIMARY KEY (report_id, period_start)
);

-- Choices of the metrics page under a name.
CREATE TABLE views (
    view_id uuid PRIMARY KEY,
    seller_id text NOT NULL CHECK (length(seller_id) BETWEEN 1 AND 128),
    name text NOT NULL CHECK (length(name) BETWEEN 1 AND 100),
    choices jsonb NOT NULL,
    created_at timestamptz NOT NULL,
    UNIQUE (seller_id, name)
);

-- Lets no other transaction add something of a seller until this one has ended, so that limits hold.
CREATE FUNCTION lock_seller(of_seller_id text) RETURNS void LANGUAGE sql AS $$
    SELECT pg_advisory_xact_lock(hashtextextended('alerts ' || of_seller_id, 0));
$$;

-- Calls into other services, within the same transaction. Without the service sellers, every seller may sell; without the
-- service users, no address has an account.
CREATE FUNCTION is_approved(of_seller_id text) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    RETURN to_regnamespace('sellers') IS NULL OR sellers.is_approved(of_seller_id);
END
$$;

CREATE FUNCTION find_reader(of_email text, of_seller_id text) RETURNS uuid LANGUAGE plpgsql AS $$
BEGIN
    IF to_regnamespace('users') IS NULL THEN
        RETURN NULL;
    END IF;
    RETURN users.find_reader(of_email, of_seller_id);
END
$$;

CREATE FUNCTION send_to_reader(
    mail_id uuid, of_user_id uuid, of_seller_id text, kind text, subject text, body text, sent_at timestamptz
) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    IF to_regnamespace('users') IS NULL THEN
        RETURN 'left';
    END IF;
    RETURN users.send_to_reader(mail_id, of_user_id, of_seller_id, kind, subject, body, sent_at);
END
$$;

-- Removes a person from this service: nobody gets the mails of their rules and reports. Users calls it in the transaction
-- that erases the account.
CREATE FUNCTION forget_user(of_user_id uuid) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = alerts, pg_temp AS $$
    UPDATE rules SET person_id = NULL, address_hint = NULL, is_enabled = false,
        disabled_reason = 'The account of the person who got its mails was deleted.'
    WHERE person_id = of_user_id;
    UPDATE reports SET person_id = NULL, address_hint = NULL, is_enabled = false,
        disabled_reason = 'The account of the person who got its mails was deleted.'
    WHERE person_id = of_user_id;
$$;

REVOKE ALL ON FUNCTION lock_seller (text), is_approved (text), find_reader (text, text),
send_to_reader (uuid, uuid, text, text, text, text, timestamptz), forget_user (uuid) FROM PUBLIC;
