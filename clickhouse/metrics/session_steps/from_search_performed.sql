-- A search: no step, but the visit goes on.
SELECT session_id, occurred_at AS first_at, occurred_at AS last_at, [(toUnixTimestamp64Milli(occurred_at), toUInt8(0), '', '')] AS steps
FROM search_performed
