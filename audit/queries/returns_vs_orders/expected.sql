-- Every line of every return of the service's orders, with its units and its refund.
SELECT
    event_id,
    order_id,
    return_id,
    line.line_number AS line_number,
    line.quantity AS units_back,
    line.refund_minor AS refund_minor
FROM order_returned FINAL
ARRAY JOIN lines AS line
WHERE match(order_id, {own_order:String})
