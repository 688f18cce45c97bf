-- A click on a recommendation: no step, but the visit goes on.
SELECT session_id, occurred_at AS first_at, occurred_at AS last_at, [(toUnixTimestamp64Milli(occurred_at), toUInt8(0), '', '')] AS steps
FROM recommendation_clicked
