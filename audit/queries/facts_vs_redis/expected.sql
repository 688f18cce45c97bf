-- The forward-decay score of each product (docs/architecture.md, Redis), told again from the facts.
SELECT
    line.product_id AS product_id,
    sum(line.quantity * exp2(
        (intDiv(toUnixTimestamp64Milli(occurred_at), 1000) - 1767225600) / (86400. * {half_life_days:UInt32})
    )) AS score
FROM order_placed FINAL
ARRAY JOIN order_placed.lines AS line
WHERE line.quantity > 0
GROUP BY product_id
