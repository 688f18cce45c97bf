-- What the person made before, or during the suspension, never works again.
UPDATE people SET suspended_at = $2::timestamptz, suspension_reason = $3::text, rights_since = $4::timestamptz
WHERE user_id = $1::uuid;
