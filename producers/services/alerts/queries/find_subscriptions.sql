-- Returns the alerts and reports whose mails go to a person, the oldest first.
SELECT 'alert' AS kind, rule_id AS id, seller_id, name, created_at, is_enabled
FROM rules
WHERE person_id = $1::uuid
UNION ALL
SELECT 'report', report_id, seller_id, name, created_at, is_enabled
FROM reports
WHERE person_id = $1::uuid
ORDER BY created_at, id;
