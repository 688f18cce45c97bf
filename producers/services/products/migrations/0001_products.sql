-- The category tree. It begins as `schemas/product_categories.toml`; administrators change it. A category that an import or another
-- system names first has no names: its id is shown.
CREATE TABLE categories (
    category_id text PRIMARY KEY,
    parent_id text REFERENCES categories,
    names jsonb NOT NULL DEFAULT '{}',
    attributes text [] NOT NULL DEFAULT '{}',
    CHECK (parent_id <> category_id)
);
CREATE INDEX categories_below ON categories (parent_id);

CREATE TABLE attributes (
    key text PRIMARY KEY,
    names jsonb NOT NULL,
    is_variant boolean NOT NULL,
    "values" jsonb NOT NULL
);

-- Whether the tree of the file was copied: what administrators deleted must not come back.
CREATE TABLE first_categories (copied_at timestamptz NOT NULL);

-- Every offer of a product by a seller, as it is now. `changed_at` is the time of its newest event; an older event changes nothing.
-- `hidden` is whether the seller's holiday has taken it off. The seller who listed a product first owns its contents.
CREATE TABLE listings (
    product_id text NOT NULL,
    seller_id text NOT NULL,
    status text NOT NULL CHECK (status IN ('draft', 'listed', 'delisted', 'blocked')),
    hidden boolean NOT NULL,
    block_reason text CHECK ((block_reason IS NOT NULL) = (status = 'blocked')),
    name text,
    category text,
    description text,
    group_id text,
    attributes jsonb NOT NULL,
    currency text NOT NULL,
    price_minor bigint NOT NULL CHECK (price_minor >= 0),
    condition text NOT NULL CHECK (condition IN ('new', 'used', 'refurbished')),
    handling_days integer,
    sku text,
    pictures jsonb NOT NULL,
    photos integer,
    weight_g integer,
    length_cm integer,
    height_cm integer,
    width_cm integer,
    plain text NOT NULL,
    created_at timestamptz NOT NULL,
    changed_at timestamptz NOT NULL,
    PRIMARY KEY (product_id, seller_id)
);
CREATE INDEX listings_of_seller ON listings (seller_id, changed_at, product_id);
CREATE INDEX listings_with_sku ON listings (seller_id, sku) WHERE sku IS NOT NULL;
CREATE INDEX listings_of_group ON listings (group_id) WHERE group_id IS NOT NULL;
CREATE INDEX listings_of_category ON listings (category);
CREATE INDEX listings_on_offer ON listings (seller_id) WHERE status = 'listed' AND NOT hidden;
CREATE INDEX listings_on_holiday ON listings (seller_id) WHERE hidden;
CREATE INDEX blocked_listings ON listings (changed_at) WHERE status = 'blocked';

-- The prices that an offer has had, each from a time on.
CREATE TABLE prices (
    product_id text NOT NULL,
    seller_id text NOT NULL,
    since timestamptz NOT NULL,
    price_minor bigint NOT NULL,
    PRIMARY KEY (product_id, seller_id, since)
);

-- When a seller's offers are taken off. `until` is NULL if the seller ends it.
CREATE TABLE holidays (
    seller_id text PRIMARY KEY,
    since timestamptz NOT NULL,
    until timestamptz CHECK (until > since)
);

CREATE TABLE seller_status (
    seller_id text PRIMARY KEY,
    approved boolean NOT NULL,
    changed_at timestamptz NOT NULL
);
