-- The simulated provider's own books: what it was asked to take, under the key of who asked.
CREATE TABLE charges (
    idempotency_key uuid PRIMARY KEY,
    amount_minor bigint NOT NULL CHECK (amount_minor >= 0),
    currency text NOT NULL,
    tries integer NOT NULL DEFAULT 1,
    outcome text CHECK (outcome IN ('captured', 'declined', 'voided')),
    reason text NOT NULL DEFAULT '',
    refunded_minor bigint NOT NULL DEFAULT 0,
    CHECK (refunded_minor BETWEEN 0 AND amount_minor),
    CHECK (refunded_minor = 0 OR outcome = 'captured')
);

CREATE TABLE charge_refunds (
    idempotency_key uuid PRIMARY KEY,
    charge uuid NOT NULL REFERENCES charges,
    amount_minor bigint NOT NULL CHECK (amount_minor > 0)
);
