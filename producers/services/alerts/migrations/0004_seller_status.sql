-- Which sellers may sell: this service's own copy (`producers/seller_status.py`).
CREATE TABLE seller_status (
    seller_id text PRIMARY KEY,
    approved boolean NOT NULL,
    changed_at timestamptz NOT NULL
);

-- Sellers from before there were events.
DO $$
BEGIN
    IF to_regclass('sellers.sellers') IS NOT NULL THEN
        INSERT INTO seller_status
        SELECT seller_id, status = 'approved', registered_at
        FROM sellers.sellers
        WHERE status IN ('approved', 'suspended')
        ON CONFLICT (seller_id) DO NOTHING;
    END IF;
END
$$;

CREATE OR REPLACE FUNCTION is_approved(of_seller_id text) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT EXISTS (SELECT FROM seller_status WHERE seller_id = of_seller_id AND approved);
$$;
