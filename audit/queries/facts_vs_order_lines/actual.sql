-- The lines of every order, as ClickHouse derives them.
SELECT
    seller_id, toString(placed_at) AS placed_at, order_id, line_number, shopper_id, product_id,
    toString(currency) AS currency, quantity, unit_price_minor, gross_minor, discount_minor, shipping_minor,
    tax_minor, commission_bp, marketplace_minor, line_voucher_id, order_voucher_id
FROM order_lines
