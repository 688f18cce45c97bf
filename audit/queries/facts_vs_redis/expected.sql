-- The forward-decay score of each product of confirmed orders, from the facts. A score is a time (docs/architecture.md).
SELECT
    product_id,
    newest_s + half_life_s * log2(sum(quantity * exp2((placed_s - newest_s) / half_life_s))) AS score
FROM (
    SELECT
        line.product_id AS product_id,
        line.quantity AS quantity,
        intDiv(toUnixTimestamp64Milli(occurred_at), 1000) AS placed_s,
        max(placed_s) OVER (PARTITION BY product_id) AS newest_s,
        86400. * {half_life_days:UInt32} AS half_life_s
    FROM order_placed FINAL
    ARRAY JOIN order_placed.lines AS line
    WHERE line.quantity > 0
        AND order_id IN (SELECT order_id FROM order_confirmed)
)
GROUP BY product_id, newest_s, half_life_s
