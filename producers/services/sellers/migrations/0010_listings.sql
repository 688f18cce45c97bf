-- Which seller lists which product: this service's own copy of the catalogue (`producers/listings.py`). The consumer
-- reads the events from the first one on, because it has read none of them before.
CREATE TABLE listings (
    seller_id text NOT NULL,
    product_id text NOT NULL,
    listed boolean NOT NULL,
    changed_at timestamptz NOT NULL,
    PRIMARY KEY (seller_id, product_id)
);
