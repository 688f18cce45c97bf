-- The sellers with the most lines of orders, from the facts.
SELECT seller_id
FROM (SELECT arrayJoin(lines.seller_id) AS seller_id FROM order_confirmed)
GROUP BY seller_id
ORDER BY count() DESC, seller_id
LIMIT {sellers:UInt32}
