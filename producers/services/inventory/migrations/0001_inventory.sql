-- Of `on_hand`, `reserved` units are held for orders that are not paid yet. `version` counts the changes.
CREATE TABLE stock (
    product_id text NOT NULL,
    seller_id text NOT NULL,
    on_hand integer NOT NULL CHECK (on_hand >= 0),
    reserved integer NOT NULL CHECK (reserved >= 0),
    version bigint NOT NULL CHECK (version >= 0),
    PRIMARY KEY (product_id, seller_id),
    CONSTRAINT never_promise_more_than_there_is CHECK (reserved <= on_hand)
);

-- One for each order that was heard of: `held` until paid, then `sold`; `released` or `given_back` when it ended
-- before or after that; `refused` when stock was short; `barred` when it was cancelled before it was heard of.
CREATE TABLE reservations (
    order_id uuid PRIMARY KEY,
    reservation_id uuid NOT NULL UNIQUE,
    state text NOT NULL CHECK (state IN ('held', 'sold', 'released', 'given_back', 'refused', 'barred')),
    expires_at timestamptz NOT NULL
);
CREATE INDEX reservations_that_expire ON reservations (expires_at) WHERE state = 'held';

CREATE TABLE reserved_lines (
    order_id uuid NOT NULL REFERENCES reservations,
    line_number integer NOT NULL,
    product_id text NOT NULL,
    seller_id text NOT NULL,
    quantity integer NOT NULL CHECK (quantity > 0),
    returned integer NOT NULL DEFAULT 0 CHECK (returned BETWEEN 0 AND quantity),
    PRIMARY KEY (order_id, line_number)
);
