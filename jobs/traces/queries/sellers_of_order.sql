-- Returns the sellers of an order whose rows of sales, which the figures add up, are there.
SELECT DISTINCT seller_id FROM sales_lines
WHERE order_id = {order_id:String}
    AND seller_id IN (SELECT arrayJoin(lines.seller_id) FROM order_confirmed WHERE order_id = {order_id:String})
ORDER BY seller_id
