UPDATE reports
SET send_at = $2::timestamptz, covered_until = coalesce($3::timestamptz, covered_until), problem = $4::text
WHERE report_id = $1::uuid;
