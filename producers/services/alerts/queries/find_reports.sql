-- The reports of a seller as the API shows them; only report $2 if it is not NULL.
SELECT
    report_id,
    name,
    period,
    metrics,
    hour,
    timezone,
    address_hint,
    is_enabled,
    disabled_reason,
    created_at,
    send_at,
    covered_until,
    (SELECT max(sent_at) FROM report_mails WHERE report_mails.report_id = reports.report_id) AS last_sent_at,
    problem
FROM reports
WHERE seller_id = $1::text AND ($2::uuid IS NULL OR report_id = $2::uuid)
ORDER BY report_id;
