-- Sellers of this marketplace: those who applied here, and those whose registration came as an event from elsewhere.
CREATE TABLE sellers (
    seller_id text PRIMARY KEY CHECK (length(seller_id) BETWEEN 1 AND 128),
    status text NOT NULL CHECK (status IN ('applied', 'approved', 'refused', 'suspended')),
    source text NOT NULL CHECK (source IN ('application', 'event')),
    name text,
    description text,
    legal_name text,
    tax_id text,
    contact_email text,
    phone text,
    zip_prefix text,
    city text,
    state text,
    country text,
    currency text CHECK (currency ~ '^[A-Z]{3}$'),
    created_at timestamptz NOT NULL,
    -- When the seller was first approved, which is the time of its newest `seller_registered`.
    registered_at timestamptz CHECK ((registered_at IS NULL) = (status IN ('applied', 'refused'))),
    profile_changed_at timestamptz
);

CREATE TABLE applications (
    application_id uuid PRIMARY KEY,
    seller_id text NOT NULL UNIQUE REFERENCES sellers,
    -- NULL if the applicant's account was erased.
    applicant_id uuid,
    status text NOT NULL CHECK (status IN ('applied', 'approved', 'refused')),
    submitted_at timestamptz NOT NULL,
    decided_at timestamptz CHECK ((decided_at IS NULL) = (status = 'applied')),
    decided_by text,
    reason text CHECK (status <> 'refused' OR reason IS NOT NULL)
);
CREATE UNIQUE INDEX open_application_of_person ON applications (applicant_id) WHERE status = 'applied';
CREATE INDEX applications_of_person ON applications (applicant_id);
CREATE INDEX applications_by_status ON applications (status, application_id);

-- Each status of a seller, with the reason and the person who decided.
CREATE TABLE seller_steps (
    seller_id text NOT NULL REFERENCES sellers,
    occurred_at timestamptz NOT NULL,
    status text NOT NULL CHECK (status IN ('applied', 'approved', 'refused', 'suspended')),
    reason text,
    changed_by text,
    PRIMARY KEY (seller_id, occurred_at, status)
);

CREATE TABLE staff (
    seller_id text NOT NULL REFERENCES sellers,
    user_id uuid NOT NULL,
    role text NOT NULL CHECK (role IN ('owner', 'manager', 'analyst', 'fulfilment')),
    email_hint text,
    added_at timestamptz NOT NULL,
    added_by text,
    PRIMARY KEY (seller_id, user_id)
);
CREATE INDEX staff_by_user ON staff (user_id);

-- Every change of the staff. `role` is NULL if the person was removed. `user_id` is NULL if an attempt to add a person
-- changed nothing: that row makes the request as slow as one that adds a person.
CREATE TABLE staff_changes (
    position bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    seller_id text NOT NULL REFERENCES sellers,
    user_id uuid,
    role text CHECK (role IN ('owner', 'manager', 'analyst', 'fulfilment')),
    changed_at timestamptz NOT NULL,
    changed_by text
);

-- Only the digest (HMAC-SHA256) of a key is stored.
CREATE TABLE api_keys (
    key_id uuid PRIMARY KEY,
    seller_id text NOT NULL REFERENCES sellers,
    name text NOT NULL,
    digest bytea NOT NULL UNIQUE CHECK (length(digest) = 32),
    hint text NOT NULL,
    scopes text[] NOT NULL CHECK (cardinality(scopes) > 0),
    created_at timestamptz NOT NULL,
    created_by text,
    expires_at timestamptz,
    last_used_at timestamptz,
    revoked_at timestamptz,
    revoked_by text
);
CREATE INDEX api_keys_of_seller ON api_keys (seller_id, key_id);
