-- How far every order that the service placed has come, as job `metrics` keeps it.
SELECT order_id, shopper_id, toString(currency) AS currency, toString(status) AS status
FROM order_state FINAL
WHERE match(order_id, {own_order:String})
