-- A delisting may arrive before an older listing. It is saved even without a listing, so that the older listing has no
-- effect.
INSERT INTO offers (product_id, seller_id, currency, price_minor, listed, changed_at)
VALUES ($1::text, $2::text, '', 0, false, $3::timestamptz)
ON CONFLICT (product_id, seller_id) DO UPDATE
SET listed = false, changed_at = excluded.changed_at
WHERE offers.changed_at <= excluded.changed_at;
