-- Every review that is about a seller, from the facts.
SELECT seller_id, toUnixTimestamp64Milli(occurred_at) AS at_ms, toInt64(score) AS score
FROM (SELECT * FROM review_submitted FINAL ORDER BY occurred_at, event_id LIMIT 1 BY order_id, review_id)
WHERE seller_id IS NOT NULL
