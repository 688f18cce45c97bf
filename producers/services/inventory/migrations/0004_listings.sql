-- Which seller lists which product: this service's own copy of the catalogue, updated by its events.
CREATE TABLE listings (
    product_id text NOT NULL,
    seller_id text NOT NULL,
    listed boolean NOT NULL,
    changed_at timestamptz NOT NULL,
    PRIMARY KEY (product_id, seller_id)
);
