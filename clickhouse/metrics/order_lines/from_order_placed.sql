-- A row for each line of the order.
SELECT
    line.seller_id AS seller_id,
    occurred_at AS placed_at,
    order_id,
    line.line_number AS line_number,
    shopper_id,
    line.product_id AS product_id,
    currency,
    line.quantity AS quantity,
    line.unit_price_minor AS unit_price_minor,
    line.quantity * line.unit_price_minor AS gross_minor,
    line.discount_minor AS discount_minor,
    line.shipping_minor AS shipping_minor,
    line.tax_minor AS tax_minor,
    line.commission_bp AS commission_bp,
    ifNull(line.marketplace_minor, 0) AS marketplace_minor,
    ifNull(line.line_voucher_id, '') AS line_voucher_id,
    ifNull(line.order_voucher_id, '') AS order_voucher_id
FROM order_placed
ARRAY JOIN lines AS line
