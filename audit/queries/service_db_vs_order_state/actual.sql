-- The status of every order that the service placed, as ClickHouse derives it.
SELECT order_id, shopper_id, toString(currency) AS currency, toString(status) AS status
FROM order_state
WHERE match(order_id, {own_order:String})
