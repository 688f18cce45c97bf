-- Every order with the sums of its lines.
SELECT
    orders.order_id::text AS order_id,
    shopper_id,
    currency,
    floor(extract(epoch FROM placed_at) * 1000)::bigint AS placed_ms,
    count(line_number) AS line_count,
    sum(quantity)::bigint AS units,
    sum(quantity * unit_price_minor)::bigint AS gross_minor,
    amount_minor
FROM orders.orders
LEFT JOIN orders.order_lines USING (order_id)
GROUP BY orders.order_id;
