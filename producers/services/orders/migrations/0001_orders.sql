-- What may be bought at which price: this service's own copy of the catalogue, kept by its events.
CREATE TABLE offers (
    product_id text NOT NULL,
    seller_id text NOT NULL,
    currency text NOT NULL,
    price_minor bigint NOT NULL CHECK (price_minor BETWEEN 0 AND 10000000000),
    listed boolean NOT NULL,
    changed_at timestamptz NOT NULL,
    PRIMARY KEY (product_id, seller_id)
);

CREATE TABLE orders (
    order_id uuid PRIMARY KEY,
    shopper_id text NOT NULL,
    session_id text,
    currency text NOT NULL,
    status text NOT NULL CHECK (status IN ('placed', 'confirmed', 'cancelled', 'shipped', 'delivered')),
    cancellation_reason text CHECK ((cancellation_reason IS NOT NULL) = (status = 'cancelled')),
    amount_minor bigint NOT NULL CHECK (amount_minor >= 0),
    payment_method text NOT NULL,
    payment_status text NOT NULL DEFAULT 'pending'
        CHECK (payment_status IN ('pending', 'failed', 'captured', 'refunded')),
    placed_at timestamptz NOT NULL
);
CREATE INDEX orders_of_shopper ON orders (shopper_id, placed_at);

CREATE TABLE order_lines (
    order_id uuid NOT NULL REFERENCES orders,
    line_number integer NOT NULL CHECK (line_number > 0),
    product_id text NOT NULL,
    seller_id text NOT NULL,
    quantity integer NOT NULL CHECK (quantity BETWEEN 1 AND 1000),
    unit_price_minor bigint NOT NULL CHECK (unit_price_minor BETWEEN 0 AND 10000000000),
    discount_minor bigint NOT NULL CHECK (discount_minor >= 0),
    shipping_minor bigint NOT NULL CHECK (shipping_minor >= 0),
    tax_minor bigint NOT NULL CHECK (tax_minor >= 0),
    commission_bp integer NOT NULL CHECK (commission_bp BETWEEN 0 AND 10000),
    PRIMARY KEY (order_id, line_number)
);

-- What happened to an order, each once.
CREATE TABLE order_steps (
    order_id uuid NOT NULL REFERENCES orders,
    step text NOT NULL,
    occurred_at timestamptz NOT NULL,
    PRIMARY KEY (order_id, step, occurred_at)
);

-- The checkouts that were answered: the same key with the same body gets the same answer.
CREATE TABLE idempotency_keys (
    key text PRIMARY KEY,
    request_sha256 bytea NOT NULL,
    order_id uuid NOT NULL,
    answer bytea NOT NULL,
    answered_at timestamptz NOT NULL DEFAULT now()
);
