-- Every step of an alert that the service recorded.
SELECT
    alert_id::text AS alert_id,
    status,
    seller_id,
    to_char(date_trunc('milliseconds', occurred_at AT TIME ZONE 'UTC'), 'YYYY-MM-DD HH24:MI:SS.MS') AS occurred_at
FROM alerts.alert_steps;
