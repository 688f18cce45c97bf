-- Returns every order of these shopper ids with its lines, the oldest first.
SELECT
    order_id, currency, status, amount_minor, refunded_minor, payment_method, payment_status, placed_at,
    ARRAY(
        SELECT ROW(line_number, product_id, seller_id, quantity, unit_price_minor, discount_minor, shipping_minor,
            tax_minor)
        FROM order_lines
        WHERE order_lines.order_id = orders.order_id
        ORDER BY line_number
    ) AS lines
FROM orders
WHERE shopper_id = ANY ($1::text[])
ORDER BY placed_at, order_id;
