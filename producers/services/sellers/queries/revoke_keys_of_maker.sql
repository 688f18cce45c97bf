-- Revokes the keys of a seller that a person made up to $5, when that person may not make keys any more.
UPDATE api_keys
SET revoked_at = $3::timestamptz, revoked_by = $4::text
WHERE seller_id = $1::text AND created_by IS NOT DISTINCT FROM $2::text AND created_at <= $5::timestamptz
    AND revoked_at IS NULL;
