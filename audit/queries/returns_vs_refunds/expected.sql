-- Every return of the service's orders, and its refund.
SELECT event_id, order_id, return_id, arraySum(lines.refund_minor) AS refund_minor
FROM order_returned FINAL
WHERE match(order_id, {own_order:String})
