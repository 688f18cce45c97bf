-- Vouchers: what lowers the price of an order, who pays for it, and who has used it. A voucher is never changed, only
-- ended. Without a `code`, it applies by itself; without a `seller_id`, it is the marketplace's.
CREATE TABLE vouchers (
    voucher_id uuid PRIMARY KEY,
    seller_id text,
    name text NOT NULL,
    code text UNIQUE CHECK (code ~ '^[A-Z0-9-]{4,32}$'),
    kind text NOT NULL CHECK (kind IN ('percentage', 'amount', 'free_shipping')),
    percent_bp integer CHECK (percent_bp BETWEEN 1 AND 10000),
    amount_minor bigint CHECK (amount_minor > 0),
    currency text NOT NULL,
    category text,
    product_id text,
    first_order boolean NOT NULL,
    minimum_minor bigint CHECK (minimum_minor > 0),
    starts_at timestamptz NOT NULL,
    ends_at timestamptz CHECK (ends_at > starts_at),
    limit_total integer CHECK (limit_total > 0),
    limit_per_person integer CHECK (limit_per_person > 0),
    used integer NOT NULL DEFAULT 0 CHECK (used >= 0),
    created_at timestamptz NOT NULL,
    ended_at timestamptz,
    CHECK ((kind = 'percentage') = (percent_bp IS NOT NULL)),
    CHECK ((kind = 'amount') = (amount_minor IS NOT NULL)),
    CHECK (category IS NULL OR product_id IS NULL),
    CONSTRAINT uses_within_the_limit CHECK (used <= limit_total)
);
CREATE INDEX vouchers_of_owner ON vouchers (seller_id, created_at DESC, voucher_id DESC);
CREATE INDEX vouchers_without_code ON vouchers (currency, seller_id) WHERE code IS NULL AND ended_at IS NULL;

-- Which order uses which voucher. An order that was cancelled gives its use back.
CREATE TABLE voucher_uses (
    voucher_id uuid NOT NULL REFERENCES vouchers,
    order_id uuid NOT NULL REFERENCES orders,
    shopper_id text NOT NULL,
    used_at timestamptz NOT NULL,
    given_back_at timestamptz,
    PRIMARY KEY (order_id, voucher_id)
);
CREATE INDEX voucher_uses_of_shopper ON voucher_uses (voucher_id, shopper_id) WHERE given_back_at IS NULL;

ALTER TABLE orders ADD COLUMN has_vouchers boolean NOT NULL DEFAULT false;

-- `discount_minor` is the seller's part of a discount, `marketplace_minor` the marketplace's: the shopper pays neither, and
-- the seller gets the second one. A return gives back `returned_marketplace_minor` of it.
ALTER TABLE order_lines
    ADD COLUMN marketplace_minor bigint CHECK (marketplace_minor > 0),
    ADD COLUMN line_voucher_id uuid REFERENCES vouchers,
    ADD COLUMN order_voucher_id uuid REFERENCES vouchers,
    ADD COLUMN returned_marketplace_minor bigint NOT NULL DEFAULT 0 CHECK (returned_marketplace_minor >= 0),
    ADD CONSTRAINT returned_part_of_the_marketplace
        CHECK (returned_marketplace_minor <= coalesce(marketplace_minor, 0)),
    ADD CONSTRAINT nothing_below_zero CHECK (
        discount_minor + coalesce(marketplace_minor, 0)
            <= quantity * unit_price_minor + shipping_minor + tax_minor
    );

-- Guesses of codes that do not exist, by person and by address (`producers/kit/throttles.py`).
CREATE TABLE throttles (
    subject bytea PRIMARY KEY,
    failures integer NOT NULL CHECK (failures >= 0),
    blocked_until timestamptz NOT NULL,
    last_attempt_at timestamptz NOT NULL
);
CREATE INDEX throttles_by_age ON throttles (last_attempt_at);
