-- Returns whether the seller has this key. A key that was revoked before keeps its time.
UPDATE api_keys
SET revoked_at = coalesce(revoked_at, $3::timestamptz),
    revoked_by = CASE WHEN revoked_at IS NULL THEN $4::text ELSE revoked_by END
WHERE seller_id = $1::text AND key_id = $2::uuid
RETURNING true;
