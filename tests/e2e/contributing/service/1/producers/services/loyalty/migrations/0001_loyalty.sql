-- What each paid order earned its shopper.
CREATE TABLE points (
    order_id uuid PRIMARY KEY,
    shopper_id text NOT NULL,
    points bigint NOT NULL CHECK (points >= 0)
);
CREATE INDEX points_of_shoppers ON points (shopper_id);
