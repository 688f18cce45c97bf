-- How fast each product of a seller sells, computed now and then from the orders that inventory has sold, and at which stock it
-- needs more. `told` is whether `restock_needed` was emitted since the stock was last above `threshold`.
CREATE TABLE restock_levels (
    product_id text NOT NULL,
    seller_id text NOT NULL,
    sold integer NOT NULL CHECK (sold > 0),
    threshold integer NOT NULL CHECK (threshold > 0),
    told boolean NOT NULL DEFAULT false,
    PRIMARY KEY (seller_id, product_id)
);
CREATE INDEX sold_reservations ON reservations (expires_at) WHERE state = 'sold';
