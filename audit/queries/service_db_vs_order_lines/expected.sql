-- Every line of every order.
SELECT
    order_id::text AS order_id,
    line_number,
    product_id,
    seller_id,
    quantity,
    unit_price_minor,
    discount_minor,
    shipping_minor,
    tax_minor,
    commission_bp
FROM orders.order_lines;
