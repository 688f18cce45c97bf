UPDATE reports
SET is_enabled = true, disabled_reason = NULL, send_at = $2::timestamptz, maker = $3::text, made_at = $4::timestamptz
WHERE report_id = $1::uuid;
