SELECT order_id, shopper_id, currency, status, cancellation_reason, amount_minor, refunded_minor, payment_method,
    payment_status, placed_at,
    ARRAY(
        SELECT ROW(step, occurred_at, seller_id, carrier, tracking_code)
        FROM order_steps
        WHERE order_steps.order_id = orders.order_id
        ORDER BY occurred_at, step, about
    ) AS steps,
    ARRAY(
        SELECT ROW(line_number, product_id, seller_id, quantity, unit_price_minor, discount_minor, shipping_minor,
            tax_minor, commission_bp)
        FROM order_lines
        WHERE order_lines.order_id = orders.order_id
        ORDER BY line_number
    ) AS lines
FROM orders
WHERE order_id = $1::uuid AND ($2::text[] IS NULL OR shopper_id = ANY ($2::text[]));
