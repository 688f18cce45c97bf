UPDATE applications SET status = $2::text, decided_at = $3::timestamptz, decided_by = $4::text, reason = $5::text
WHERE application_id = $1::uuid;
