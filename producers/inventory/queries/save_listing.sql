-- Events of a product are in several topics and may arrive in any order. The newest event decides.
INSERT INTO listings (product_id, seller_id, listed, changed_at)
VALUES ($1::text, $2::text, $3::boolean, $4::timestamptz)
ON CONFLICT (product_id, seller_id) DO UPDATE
SET listed = excluded.listed, changed_at = excluded.changed_at
WHERE listings.changed_at <= excluded.changed_at;
