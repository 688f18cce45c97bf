INSERT INTO report_mails (report_id, period_start, period_end, sent_at)
VALUES ($1::uuid, $2::timestamptz, $3::timestamptz, $4::timestamptz)
ON CONFLICT DO NOTHING
RETURNING true;
