-- A return: a row for each of its lines, at the minute in which it came back.
SELECT
    seller_id,
    toDateTime(toStartOfMinute(occurred_at), 'UTC') AS minute,
    order_id,
    'returned' AS kind,
    return_id,
    line.line_number AS line_number,
    line.product_id AS product_id,
    currency,
    reason,
    position = 1 AS returns,
    indexOf(lines.product_id, line.product_id) = position AS returns_of_product,
    line.quantity AS returned_units,
    if(line.restocked, line.quantity, 0) AS restocked_units,
    line.refund_minor AS requested_minor
FROM order_returned
ARRAY JOIN lines AS line, arrayEnumerate(lines) AS position
