INSERT INTO reports
SELECT new_report.*
FROM jsonb_populate_record(NULL::reports, $1::jsonb) AS new_report
WHERE (SELECT count(*) FROM reports WHERE reports.seller_id = $2::text) < $3::integer
RETURNING report_id;
