-- Every review that is about a seller, with its order, from the facts.
SELECT seller_id, toUnixTimestamp64Milli(occurred_at) AS at_ms, order_id, review_id, toInt64(score) AS score
FROM (SELECT * FROM review_submitted FINAL ORDER BY occurred_at, event_id LIMIT 1 BY order_id, review_id)
WHERE seller_id IS NOT NULL
