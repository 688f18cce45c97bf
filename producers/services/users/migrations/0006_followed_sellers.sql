-- The sellers whose news a person wants to see.
CREATE TABLE followed_sellers (
    user_id uuid NOT NULL REFERENCES people ON DELETE CASCADE,
    seller_id text NOT NULL,
    followed_at timestamptz NOT NULL,
    PRIMARY KEY (user_id, seller_id)
);

-- Calls into the service sellers, within the same transaction. Without it, every seller may sell.
CREATE FUNCTION is_approved_seller(of_seller_id text) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    RETURN to_regnamespace('sellers') IS NULL OR sellers.is_approved(of_seller_id);
END
$$;

REVOKE ALL ON FUNCTION is_approved_seller (text) FROM PUBLIC;
