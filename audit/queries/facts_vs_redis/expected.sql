-- The forward-decay score of each product of confirmed orders, from the facts. A score is a time (docs/architecture.md).
SELECT
    product_id,
    newest_s + half_life_s * log2(sum(quantity * exp2((placed_s - newest_s) / half_life_s))) AS score
FROM (
    SELECT
        line.product_id AS product_id,
        line.quantity AS quantity,
        intDiv(toUnixTimestamp64Milli(assumeNotNull(placed_at)), 1000) AS placed_s,
        max(placed_s) OVER (PARTITION BY product_id) AS newest_s,
        86400. * {half_life_days:UInt32} AS half_life_s
    FROM (SELECT * FROM order_confirmed FINAL ORDER BY occurred_at, event_id LIMIT 1 BY order_id) AS booked
    ARRAY JOIN booked.lines AS line
    WHERE line.quantity > 0
        AND placed_at IS NOT NULL
)
GROUP BY product_id, newest_s, half_life_s
