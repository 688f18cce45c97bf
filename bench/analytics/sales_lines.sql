-- Adds lines of orders, two for each order, evenly spread over a year. One line in 25 is cancelled, one returned.
INSERT INTO {database:Identifier}.{table:Identifier}
    (seller_id, minute, order_id, kind, return_id, line_number, product_id, currency, orders, orders_of_product, lines, units,
    gross_minor, discount_minor, shipping_minor, cancelled_orders, cancelled_orders_of_product, cancelled_units,
    cancelled_gross_minor, cancelled_discount_minor, cancelled_shipping_minor, returned_units, returned_minor, revenue_minor)
WITH
    intDiv(number, 2) AS order_number,
    -- The square of a uniform number: a tenth of the sellers has a third of the lines.
    toUInt32(floor(pow(sipHash64('seller', order_number) / exp2(64), 2) * {sellers:UInt32})) AS seller,
    sipHash64('line', number) AS random,
    random % 25 AS outcome,
    500 + random % 29500 AS price,
    1 + (random % 12 = 0) AS bought,
    price * bought AS gross,
    if(random % 10 = 0, 100, 0) AS discount
SELECT
    concat('seller-', leftPad(toString(seller), 4, '0')) AS seller_id,
    toStartOfMinute(toDateTime({begin_s:Int64} + intDiv(order_number * {length_s:UInt64}, {orders:UInt64}), 'UTC')) AS minute,
    lower(hex(order_number)) AS order_id,
    multiIf(outcome = 0, 'cancelled', outcome = 1, 'returned', 'sold') AS kind,
    if(outcome = 1, lower(hex(number)), '') AS return_id,
    1 + number % 2 AS line_number,
    concat('product-', toString(seller * 11 + random % 11)) AS product_id,
    {currency:String} AS currency,
    outcome > 1 AND line_number = 1 AS orders,
    outcome > 1 AS orders_of_product,
    outcome > 1 AS lines,
    if(outcome > 1, bought, 0) AS units,
    if(outcome > 1, gross, 0) AS gross_minor,
    if(outcome > 1, discount, 0) AS discount_minor,
    if(outcome > 1, random % 4000, 0) AS shipping_minor,
    outcome = 0 AS cancelled_orders,
    outcome = 0 AS cancelled_orders_of_product,
    if(outcome = 0, bought, 0) AS cancelled_units,
    if(outcome = 0, gross, 0) AS cancelled_gross_minor,
    if(outcome = 0, discount, 0) AS cancelled_discount_minor,
    0 AS cancelled_shipping_minor,
    if(outcome = 1, bought, 0) AS returned_units,
    if(outcome = 1, gross - discount, 0) AS returned_minor,
    if(outcome > 1, gross - discount, discount - gross) AS revenue_minor
FROM numbers({first:UInt64}, {count:UInt64})
