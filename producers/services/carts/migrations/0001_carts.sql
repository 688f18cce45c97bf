-- The one cart of each shopper: a guest, whose id is that of their session, or a person. `guest_ids` are the guests whose carts were
-- merged into it, so that events of their orders find it. `changed_at` is the time of its last event, `touched_at` that of its last
-- change of any kind. `is_idle` is whether it was found untouched since; if something was in it, `cart_abandoned` said so.
CREATE TABLE carts (
    cart_id text PRIMARY KEY,
    shopper_id text NOT NULL UNIQUE,
    guest_ids text [] NOT NULL,
    is_guest boolean NOT NULL,
    session_id text NOT NULL,
    changed_at timestamptz NOT NULL,
    touched_at timestamptz NOT NULL,
    is_idle boolean NOT NULL,
    CHECK (changed_at <= touched_at)
);
CREATE INDEX carts_of_guests ON carts USING gin (guest_ids);
CREATE INDEX carts_by_touch ON carts (touched_at);
CREATE INDEX busy_carts ON carts (touched_at) WHERE NOT is_idle;

-- What is in a cart, or is saved for later there: a product once. `seen_minor` is the price that the shopper is known to
-- have seen last.
CREATE TABLE lines (
    cart_id text NOT NULL REFERENCES carts ON DELETE CASCADE,
    product_id text NOT NULL,
    seller_id text NOT NULL,
    quantity integer NOT NULL CHECK (quantity BETWEEN 1 AND 999),
    is_saved boolean NOT NULL,
    currency text NOT NULL,
    seen_minor bigint NOT NULL CHECK (seen_minor BETWEEN 0 AND 10000000000),
    added_at timestamptz NOT NULL,
    PRIMARY KEY (cart_id, product_id)
);

-- What orders took out of the carts of shoppers, until the order is confirmed or cancelled; and the orders that came to nothing,
-- because their `order_placed` may arrive later. It takes nothing out then.
CREATE TABLE taken_lines (
    order_id text NOT NULL,
    shopper_id text NOT NULL,
    product_id text NOT NULL,
    seller_id text NOT NULL,
    quantity integer NOT NULL CHECK (quantity > 0),
    currency text NOT NULL,
    seen_minor bigint NOT NULL,
    taken_at timestamptz NOT NULL,
    PRIMARY KEY (order_id, shopper_id, product_id)
);
CREATE INDEX taken_lines_of_shopper ON taken_lines (shopper_id);
CREATE INDEX taken_lines_by_age ON taken_lines (taken_at);

CREATE TABLE cancelled_orders (order_id text PRIMARY KEY, cancelled_at timestamptz NOT NULL);
CREATE INDEX cancelled_orders_by_age ON cancelled_orders (cancelled_at);

-- Copies of what sellers offer, and of the units that can be sold.
CREATE TABLE offers (
    product_id text NOT NULL,
    seller_id text NOT NULL,
    currency text NOT NULL,
    price_minor bigint NOT NULL CHECK (price_minor BETWEEN 0 AND 10000000000),
    listed boolean NOT NULL,
    category text,
    changed_at timestamptz NOT NULL,
    PRIMARY KEY (product_id, seller_id)
);
CREATE TABLE stock (
    product_id text NOT NULL,
    seller_id text NOT NULL,
    available integer NOT NULL,
    version bigint NOT NULL,
    PRIMARY KEY (product_id, seller_id)
);

-- Shoppers who were erased: no cart of theirs may be made any more.
CREATE TABLE erased_shoppers (shopper_id text PRIMARY KEY);

-- What audits compare: what is in the carts, without whose they are.
CREATE VIEW audited_lines AS
SELECT cart_id, product_id, seller_id, quantity, changed_at
FROM carts
JOIN lines USING (cart_id)
WHERE NOT is_saved;
