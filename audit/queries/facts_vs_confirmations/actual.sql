-- The lines that confirmations carry, of orders whose placing is in the facts.
SELECT
    order_id, line.line_number AS line_number, toString(placed_at) AS placed_at, toString(currency) AS currency,
    line.seller_id AS seller_id, line.product_id AS product_id, line.quantity AS quantity,
    line.unit_price_minor AS unit_price_minor, line.discount_minor AS discount_minor, line.shipping_minor AS shipping_minor,
    line.tax_minor AS tax_minor, line.commission_bp AS commission_bp,
    line.marketplace_minor AS marketplace_minor, line.line_voucher_id AS line_voucher_id,
    line.order_voucher_id AS order_voucher_id
FROM order_confirmed FINAL
ARRAY JOIN order_confirmed.lines AS line
WHERE order_id IN (SELECT order_id FROM order_placed)
