-- Every line of every return of the service's orders: its units, and those that can be sold again.
SELECT
    event_id,
    order_id,
    return_id,
    line.line_number AS line_number,
    line.quantity AS units_back,
    if(line.restocked, line.quantity, 0) AS units_restocked
FROM order_returned FINAL
ARRAY JOIN lines AS line
WHERE match(order_id, {own_order:String})
