-- Returns the first seller of each of some orders whose rows of sales, which the figures add up, are there.
SELECT order_id, min(seller_id)
FROM sales_lines
WHERE order_id IN {order_ids:Array(String)}
    AND seller_id IN (
        SELECT arrayJoin(lines.seller_id) FROM order_confirmed WHERE order_id IN {order_ids:Array(String)}
    )
GROUP BY order_id
