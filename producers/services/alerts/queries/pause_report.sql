UPDATE reports SET is_enabled = false, disabled_reason = $2::text, problem = NULL WHERE report_id = $1::uuid;
