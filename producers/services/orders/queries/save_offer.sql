-- Events of a product are in several topics and may arrive in any order. The newest event decides.
INSERT INTO offers (product_id, seller_id, currency, price_minor, listed, category, changed_at)
VALUES ($1::text, $2::text, $3::text, $4::bigint, true, $5::text, $6::timestamptz)
ON CONFLICT (product_id, seller_id) DO UPDATE
SET currency = excluded.currency, price_minor = excluded.price_minor, listed = true, category = excluded.category,
    changed_at = excluded.changed_at
WHERE offers.changed_at <= excluded.changed_at;
