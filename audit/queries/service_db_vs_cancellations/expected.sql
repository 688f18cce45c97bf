-- Every cancelled order with its lines, and when it was confirmed, if it was.
SELECT
    orders.order_id::text AS order_id,
    shopper_id,
    cancellation_reason AS reason,
    to_char(date_trunc('milliseconds', cancelled.occurred_at AT TIME ZONE 'UTC'), 'YYYY-MM-DD HH24:MI:SS.MS') AS cancelled_at,
    to_char(date_trunc('milliseconds', placed_at AT TIME ZONE 'UTC'), 'YYYY-MM-DD HH24:MI:SS.MS') AS placed_at,
    to_char(date_trunc('milliseconds', confirmed.occurred_at AT TIME ZONE 'UTC'), 'YYYY-MM-DD HH24:MI:SS.MS') AS confirmed_at,
    currency,
    coalesce((
        SELECT string_agg(concat_ws(' ', line_number, product_id, seller_id, quantity, unit_price_minor, discount_minor,
            shipping_minor, tax_minor, commission_bp, coalesce(marketplace_minor, 0), coalesce(line_voucher_id::text, '-'),
            coalesce(order_voucher_id::text, '-')), ', ' ORDER BY line_number)
        FROM orders.order_lines
        WHERE order_lines.order_id = orders.order_id
    ), '') AS lines
FROM orders.orders
JOIN orders.order_steps AS cancelled ON cancelled.order_id = orders.order_id AND cancelled.step = 'cancelled'
LEFT JOIN orders.order_steps AS confirmed ON confirmed.order_id = orders.order_id AND confirmed.step = 'confirmed';
