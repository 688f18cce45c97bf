-- People whose e-mail address is verified. `email` is in the form of `model.normalized_email`. Every person is a
-- shopper; `role` is a further one, and the role `seller` follows from `memberships`. `sealed_shopper_id` is the id under
-- which they buy, encrypted with their key in `person_keys`. Demo people have no password and no e-mail address.
CREATE TABLE people (
    user_id uuid PRIMARY KEY,
    email text NOT NULL UNIQUE,
    name text NOT NULL DEFAULT '',
    password_hash text,
    role text CHECK (role IN ('analyst', 'admin')),
    is_demo boolean NOT NULL DEFAULT false,
    sealed_shopper_id bytea NOT NULL,
    verified_at timestamptz NOT NULL,
    suspended_at timestamptz,
    suspension_reason text,
    CHECK ((suspended_at IS NULL) = (suspension_reason IS NULL)),
    CHECK (NOT is_demo OR password_hash IS NULL)
);

-- The key that links a person to their shopper ids, itself encrypted with a key of the platform. Erasure deletes it.
CREATE TABLE person_keys (
    user_id uuid PRIMARY KEY REFERENCES people ON DELETE CASCADE,
    sealed_key bytea NOT NULL
);

-- The browser sessions of a person's time as a guest. The digest lets one person at most have a session.
CREATE TABLE guest_ids (
    digest bytea PRIMARY KEY,
    user_id uuid NOT NULL REFERENCES people ON DELETE CASCADE,
    sealed_guest_id bytea NOT NULL,
    linked_at timestamptz NOT NULL
);
CREATE INDEX guest_ids_of_person ON guest_ids (user_id, linked_at);

-- The shopper ids that `shopper_registered` and `shopper_erased` name. No column links an id to a person.
CREATE TABLE pseudonyms (
    shopper_id text PRIMARY KEY,
    registered_at timestamptz NOT NULL,
    erased_at timestamptz
);

-- Registrations whose e-mail address is not verified yet. The mail contains the token; here is only its SHA-256.
CREATE TABLE registrations (
    token_sha256 bytea PRIMARY KEY,
    email text NOT NULL,
    name text NOT NULL,
    password_hash text NOT NULL,
    registered_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL
);
CREATE INDEX registrations_of_email ON registrations (email, registered_at);

-- Tokens in mails to registered people. Each is deleted when it is used.
CREATE TABLE mailed_tokens (
    token_sha256 bytea PRIMARY KEY,
    user_id uuid NOT NULL REFERENCES people ON DELETE CASCADE,
    purpose text NOT NULL CHECK (purpose IN ('password_reset', 'email_change')),
    new_email text,
    expires_at timestamptz NOT NULL,
    CHECK ((new_email IS NOT NULL) = (purpose = 'email_change'))
);
CREATE INDEX mailed_tokens_of_person ON mailed_tokens (user_id);

-- A session is one sign-in: the family of its refresh tokens. It ends by itself at `expires_at`.
CREATE TABLE sessions (
    session_id uuid PRIMARY KEY,
    user_id uuid NOT NULL REFERENCES people ON DELETE CASCADE,
    device text NOT NULL,
    address text NOT NULL,
    created_at timestamptz NOT NULL,
    last_used_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    ended_at timestamptz
);
CREATE INDEX sessions_of_person ON sessions (user_id, created_at);

CREATE TABLE refresh_tokens (
    token_sha256 bytea PRIMARY KEY,
    session_id uuid NOT NULL REFERENCES sessions ON DELETE CASCADE,
    replaced_at timestamptz
);
CREATE INDEX refresh_tokens_of_session ON refresh_tokens (session_id);

-- Attempts to sign in. Those for unknown e-mail addresses have no person, and are recorded so that both take as long.
CREATE TABLE sign_ins (
    sign_in_id uuid PRIMARY KEY,
    user_id uuid REFERENCES people ON DELETE CASCADE,
    attempted_at timestamptz NOT NULL,
    address text NOT NULL,
    device text NOT NULL,
    succeeded boolean NOT NULL DEFAULT false
);
CREATE INDEX sign_ins_of_person ON sign_ins (user_id, attempted_at);
CREATE INDEX sign_ins_by_age ON sign_ins USING brin (attempted_at);

-- Failed guesses of a password. A subject is the HMAC of an account, an account on a device, or an address.
CREATE TABLE throttles (
    subject bytea PRIMARY KEY,
    failures integer NOT NULL CHECK (failures >= 0),
    blocked_until timestamptz NOT NULL,
    last_attempt_at timestamptz NOT NULL
);
CREATE INDEX throttles_by_age ON throttles (last_attempt_at);

CREATE TABLE addresses (
    user_id uuid NOT NULL REFERENCES people ON DELETE CASCADE,
    address_id text NOT NULL,
    recipient text NOT NULL,
    street text NOT NULL,
    city text NOT NULL,
    state text,
    postal_code text,
    country text NOT NULL,
    saved_at timestamptz NOT NULL,
    PRIMARY KEY (user_id, address_id)
);

-- The local mailbox. `user_id` is NULL if the address belongs to nobody yet.
CREATE TABLE mails (
    mail_id uuid PRIMARY KEY,
    user_id uuid REFERENCES people ON DELETE CASCADE,
    to_email text NOT NULL,
    kind text NOT NULL,
    subject text NOT NULL,
    body text NOT NULL,
    created_at timestamptz NOT NULL
);
CREATE INDEX mails_to ON mails (to_email, created_at);
CREATE INDEX mails_by_age ON mails (created_at);

-- The keys that sign access tokens: each from `signs_from` until the next one. The private JWK is encrypted with a key
-- of the platform, and is deleted when the key no longer signs.
CREATE TABLE signing_keys (
    kid text PRIMARY KEY,
    public_jwk text NOT NULL,
    sealed_private_jwk bytea,
    signs_from timestamptz NOT NULL UNIQUE
);

-- Access tokens that end before their time: those of a session, or those that a person got before a moment.
-- Positions are in the order of commits, because `revoke_access` takes a lock until the commit.
CREATE TABLE revocations (
    position bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    session_id uuid,
    user_id uuid,
    before timestamptz NOT NULL,
    CHECK ((session_id IS NULL) <> (user_id IS NULL))
);
CREATE INDEX revocations_by_age ON revocations (before);

-- Whether the demo is enabled on this copy.
CREATE TABLE demo (
    is_only_row boolean PRIMARY KEY DEFAULT true CHECK (is_only_row),
    enabled boolean NOT NULL DEFAULT false
);
INSERT INTO demo DEFAULT VALUES;

-- The seller whose owner a demo person is.
CREATE TABLE demo_memberships (
    user_id uuid PRIMARY KEY REFERENCES people ON DELETE CASCADE,
    seller_id text NOT NULL
);

CREATE FUNCTION revoke_access(of_session_id uuid, of_user_id uuid, issued_before timestamptz) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('users revocations', 0));
    INSERT INTO revocations (session_id, user_id, before) VALUES (of_session_id, of_user_id, issued_before);
END
$$;

-- Returns the person with a verified e-mail address, NULL if there is none. The service sellers calls it.
CREATE FUNCTION find_user(of_email text) RETURNS uuid
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = users, pg_temp AS $$
    SELECT user_id FROM people WHERE email = lower(normalize(btrim(of_email), NFC)) AND NOT is_demo;
$$;

-- Ends the access tokens that a person has now, so that changed rights apply at once. Their sessions go on: the next
-- refresh gives a token with the new rights. The service sellers calls it in the transaction of the change.
--
-- The lock on the person makes a concurrent refresh wait for the commit, or be finished before.
CREATE FUNCTION end_access(of_user_id uuid) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = users, pg_temp AS $$
BEGIN
    PERFORM FROM people WHERE user_id = of_user_id FOR UPDATE;
    IF FOUND THEN
        PERFORM revoke_access(NULL, of_user_id, clock_timestamp());
    END IF;
END
$$;

-- Returns the sellers for which a person works, with the staff role. Without the service sellers, nobody works for one.
CREATE FUNCTION memberships(of_user_id uuid) RETURNS TABLE (seller_id text, role text)
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN QUERY
    SELECT demo_memberships.seller_id, 'owner' FROM users.demo_memberships WHERE user_id = of_user_id;
    BEGIN
        IF to_regclass('sellers.staff') IS NOT NULL AND to_regclass('sellers.sellers') IS NOT NULL THEN
            RETURN QUERY EXECUTE
                'SELECT staff.seller_id::text, staff.role::text '
                'FROM sellers.staff JOIN sellers.sellers ON sellers.seller_id = staff.seller_id '
                'WHERE staff.user_id = $1 AND sellers.status = ''approved'''
                USING of_user_id;
        END IF;
    EXCEPTION WHEN insufficient_privilege THEN
        NULL; -- sellers has created its schema, and grants the right to read it a moment later
    END;
END
$$;

-- Deletes what other services have of a person: their staff roles, applications and API keys, and their name on changes of
-- settings. Fails if such a service has no function to forget them yet, because an erasure must not be done in part.
CREATE FUNCTION forget_membership(of_user_id uuid, of_email text) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    IF to_regnamespace('sellers') IS NOT NULL THEN
        EXECUTE 'SELECT sellers.forget_user($1, $2)' USING of_user_id, of_email;
    END IF;
    IF to_regnamespace('configuration') IS NOT NULL THEN
        EXECUTE 'SELECT configuration.forget_author($1)' USING of_user_id::text;
    END IF;
END
$$;

REVOKE ALL ON FUNCTION find_user (text), end_access (uuid), revoke_access (uuid, uuid, timestamptz),
memberships (uuid), forget_membership (uuid, text) FROM PUBLIC;
