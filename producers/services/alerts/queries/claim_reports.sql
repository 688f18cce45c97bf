UPDATE reports
SET send_at = $1::timestamptz + $2::interval
WHERE report_id IN (
    SELECT report_id FROM reports
    WHERE is_enabled AND send_at <= $1
    ORDER BY send_at
    LIMIT $3::integer
    FOR UPDATE SKIP LOCKED
)
RETURNING reports.*, is_approved(seller_id) AS is_approved;
