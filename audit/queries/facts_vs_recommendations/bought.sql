-- What each shopper bought in orders that were not cancelled, told again from the facts.
SELECT shopper_id AS owner, line.product_id AS member, toFloat64(max(toUnixTimestamp(occurred_at))) AS score
FROM order_placed FINAL
ARRAY JOIN order_placed.lines AS line
WHERE order_id NOT IN (SELECT order_id FROM order_cancelled FINAL)
GROUP BY owner, member
ORDER BY score DESC, member DESC
LIMIT 200 BY owner
