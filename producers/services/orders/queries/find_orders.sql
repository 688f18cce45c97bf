SELECT order_id, status, cancellation_reason, currency, amount_minor, refunded_minor, payment_status, placed_at,
    ARRAY(
        SELECT ROW(product_id, quantity)
        FROM order_lines
        WHERE order_lines.order_id = orders.order_id
        ORDER BY line_number
    ) AS lines
FROM orders
WHERE shopper_id = ANY ($1::text[])
    AND ($2::timestamptz IS NULL OR (placed_at, order_id) < ($2::timestamptz, $3::uuid))
ORDER BY placed_at DESC, order_id DESC
LIMIT $4::integer;
