-- The same from the payments: a point for each hundred minor units.
SELECT order_id, shopper_id, intDiv(amount_minor, 100) AS points
FROM payment_captured FINAL
WHERE match(order_id, {own_order:String})
