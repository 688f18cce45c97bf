-- Every step of an alert of a seller that was reported.
SELECT
    reported.alert_id AS alert_id,
    toString(reported.status) AS status,
    reported.labels['seller_id'] AS seller_id,
    toString(reported.occurred_at) AS occurred_at
FROM alert_raised AS reported FINAL
WHERE reported.part = 'alerts'
