-- The figures that a row adds to a sum.
SELECT
    minute,
    order_id,
    kind,
    return_id,
    currency,
    if(kind = 'sold', 1, 0) AS orders,
    if(kind = 'sold', number_of_lines, 0) AS lines,
    if(kind = 'sold', quantity, 0) AS units,
    if(kind = 'sold', amount_minor, 0) AS gross_minor,
    if(kind = 'sold', discount_amount_minor, 0) AS discount_minor,
    if(kind = 'sold', shipping_amount_minor, 0) AS shipping_minor,
    if(kind = 'cancelled', 1, 0) AS cancelled_orders,
    if(kind = 'cancelled', quantity, 0) AS cancelled_units,
    if(kind = 'cancelled', amount_minor, 0) AS cancelled_gross_minor,
    if(kind = 'cancelled', discount_amount_minor, 0) AS cancelled_discount_minor,
    if(kind = 'cancelled', shipping_amount_minor, 0) AS cancelled_shipping_minor,
    if(kind = 'returned', quantity, 0) AS returned_units,
    if(kind = 'returned', amount_minor, 0) AS returned_minor,
    if(kind = 'sold', amount_minor - discount_amount_minor, discount_amount_minor - amount_minor) AS revenue_minor
FROM {table} FINAL
