UPDATE reports SET is_enabled = true, disabled_reason = NULL, send_at = $2::timestamptz WHERE report_id = $1::uuid;
