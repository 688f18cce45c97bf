-- The state of each order, as ClickHouse derives it.
SELECT
    order_id, shopper_id, toString(currency) AS currency, toString(placed_at) AS placed_at,
    toString(confirmed_at) AS confirmed_at, toString(shipped_at) AS shipped_at,
    toString(delivered_at) AS delivered_at, toString(cancelled_at) AS cancelled_at, toString(status) AS status
FROM order_state
