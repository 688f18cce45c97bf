-- Registers a seller of another system as approved. A newer registration changes the name and the place, but nothing
-- that was decided here: neither the status, nor a profile that was edited, nor anything of a seller that applied here.
-- Returns whether the seller is new; no row if nothing has changed.
INSERT INTO sellers
    (seller_id, status, source, name, zip_prefix, city, state, country, created_at, registered_at)
VALUES
    ($1::text, 'approved', 'event', $2::text, $3::text, $4::text, $5::text, $6::text, $7::timestamptz, $7::timestamptz)
ON CONFLICT (seller_id) DO UPDATE
SET registered_at = excluded.registered_at,
    name = CASE WHEN sellers.profile_changed_at IS NULL THEN excluded.name ELSE sellers.name END,
    zip_prefix = CASE WHEN sellers.profile_changed_at IS NULL THEN excluded.zip_prefix ELSE sellers.zip_prefix END,
    city = CASE WHEN sellers.profile_changed_at IS NULL THEN excluded.city ELSE sellers.city END,
    state = CASE WHEN sellers.profile_changed_at IS NULL THEN excluded.state ELSE sellers.state END,
    country = CASE WHEN sellers.profile_changed_at IS NULL THEN excluded.country ELSE sellers.country END
WHERE sellers.source = 'event' AND sellers.registered_at < excluded.registered_at
RETURNING xmax = 0;
