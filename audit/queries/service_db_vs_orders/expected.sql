-- Every order with the sums of its lines and its refunds.
SELECT
    orders.order_id::text AS order_id,
    shopper_id,
    currency,
    to_char(date_trunc('milliseconds', placed_at AT TIME ZONE 'UTC'), 'YYYY-MM-DD HH24:MI:SS.MS') AS placed_at,
    count(line_number) AS line_count,
    sum(quantity)::bigint AS units,
    sum(quantity * unit_price_minor)::bigint AS gross_minor,
    amount_minor,
    refunded_minor
FROM orders.orders
LEFT JOIN orders.order_lines USING (order_id)
GROUP BY orders.order_id;
