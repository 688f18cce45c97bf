UPDATE people SET suspended_at = $2::timestamptz, suspension_reason = $3::text WHERE user_id = $1::uuid;
