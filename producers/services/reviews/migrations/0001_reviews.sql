-- The lines of the orders that were paid, from `order_confirmed`; which of the orders were cancelled, from `order_cancelled`; and which
-- seller's part of an order has arrived, from `order_delivered`. Their topics are read apart, so any may come first.
CREATE TABLE lines (
    order_id text NOT NULL,
    line_number integer NOT NULL CHECK (line_number > 0),
    shopper_id text NOT NULL,
    product_id text NOT NULL,
    seller_id text NOT NULL,
    placed_at timestamptz NOT NULL,
    PRIMARY KEY (order_id, line_number)
);
CREATE INDEX lines_of_shopper ON lines (shopper_id, placed_at);

CREATE TABLE cancelled_orders (order_id text PRIMARY KEY);

CREATE TABLE deliveries (
    order_id text NOT NULL,
    seller_id text NOT NULL,
    delivered_at timestamptz NOT NULL,
    PRIMARY KEY (order_id, seller_id)
);

-- Every review with its last version. `source_id` is the review's id in the events of the producer from which it comes; NULL
-- of a review that was written here. `flags` says why it waits, or has waited, for a person. `is_queued` is whether it waits.
CREATE TABLE reviews (
    review_id text PRIMARY KEY,
    source_id text,
    order_id text NOT NULL,
    line_number integer,
    shopper_id text NOT NULL,
    product_id text,
    seller_id text,
    score integer NOT NULL CHECK (score BETWEEN 1 AND 5),
    title text CHECK (source_id IS NOT NULL OR length(title) <= 120),
    comment text CHECK (source_id IS NOT NULL OR length(comment) <= 5000),
    version integer NOT NULL CHECK (version > 0),
    status text NOT NULL CHECK (status IN ('pending', 'published', 'rejected', 'withdrawn')),
    flags text [] NOT NULL,
    is_queued boolean NOT NULL,
    submitted_at timestamptz NOT NULL,
    decided_at timestamptz,
    reason text,
    note text CHECK (length(note) <= 500),
    reply text CHECK (length(reply) <= 2000),
    replied_at timestamptz,
    UNIQUE (source_id, order_id),
    CHECK (source_id IS NOT NULL OR (line_number IS NOT NULL AND product_id IS NOT NULL AND seller_id IS NOT NULL)),
    CHECK ((status = 'pending') = (decided_at IS NULL)),
    CHECK ((status = 'rejected') = (reason IS NOT NULL)),
    CHECK ((reply IS NULL) = (replied_at IS NULL)),
    CHECK (status <> 'pending' OR is_queued)
);
CREATE UNIQUE INDEX review_of_line ON reviews (order_id, line_number) WHERE source_id IS NULL;
CREATE INDEX reviews_of_product ON reviews (product_id, submitted_at, review_id) WHERE status = 'published';
CREATE INDEX reviews_of_seller ON reviews (seller_id, submitted_at, review_id) WHERE status = 'published';
CREATE INDEX reviews_of_shopper ON reviews (shopper_id, submitted_at, review_id);
CREATE INDEX queued_reviews ON reviews (submitted_at, review_id) WHERE is_queued;

-- What producers have decided about reviews of theirs. A decision may arrive before its review.
CREATE TABLE decisions (
    source_id text NOT NULL,
    order_id text NOT NULL,
    status text NOT NULL CHECK (status IN ('published', 'rejected', 'withdrawn')),
    reason text,
    decided_at timestamptz NOT NULL,
    PRIMARY KEY (source_id, order_id)
);

-- What shoppers say about a version of a review: that it is helpful, or for which reason they report it.
CREATE TABLE opinions (
    review_id text NOT NULL REFERENCES reviews ON DELETE CASCADE,
    shopper_id text NOT NULL,
    is_report boolean NOT NULL,
    version integer NOT NULL,
    reason text CHECK (is_report = (reason IS NOT NULL)),
    PRIMARY KEY (review_id, is_report, shopper_id)
);
CREATE INDEX opinions_of_shopper ON opinions (shopper_id);

-- Shoppers who were erased: no text, vote or report of theirs may arrive any more.
CREATE TABLE erased_shoppers (shopper_id text PRIMARY KEY);

-- What audits compare: all but what only its author and moderators may read.
CREATE VIEW audited_reviews AS
SELECT order_id, review_id, source_id, line_number, shopper_id, product_id, seller_id, score, status, submitted_at, reason, reply
FROM reviews;
