-- The lines of sales, at the minute in which they were booked, and the payouts. The commission of a return stays with the marketplace.
SELECT
    seller_id,
    booked_minute AS minute,
    order_id,
    CAST(if(kind = 'returned', 'refunded', toString(kind)), 'Enum8(\'sold\' = 1, \'cancelled\' = 2, \'refunded\' = 3, \'paid\' = 4)') AS kind,
    return_id AS reference_id,
    line_number,
    product_id,
    sales.minute AS placed_minute,
    units - cancelled_units - returned_units AS units,
    currency,
    gross_minor - discount_minor AS sold_minor,
    shipping_minor,
    cancelled_gross_minor - cancelled_discount_minor AS cancelled_minor,
    cancelled_shipping_minor,
    returned_minor AS refunded_minor,
    commission_minor,
    revenue_minor + shipping_minor - cancelled_shipping_minor - commission_minor AS earned_minor,
    toInt64(0) AS paid_minor
FROM sales_lines AS sales
UNION ALL
SELECT
    seller_id,
    minute,
    order_id,
    kind,
    reference_id,
    line_number,
    product_id,
    toDateTime(0, 'UTC'),
    units,
    currency,
    0,
    0,
    0,
    0,
    refunded_minor,
    0,
    earned_minor,
    paid_minor
FROM {table} FINAL
