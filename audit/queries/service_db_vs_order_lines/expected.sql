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
    commission_bp,
    marketplace_minor,
    line_voucher_id::text AS line_voucher_id,
    order_voucher_id::text AS order_voucher_id
FROM orders.order_lines;
