-- The steps of every order. Only the steps that the service decided (placed, confirmed, cancelled) have times.
-- Shipments and deliveries of a cancelled order are not its steps.
SELECT DISTINCT
    order_id::text AS order_id,
    step,
    CASE WHEN step IN ('placed', 'confirmed', 'cancelled')
        THEN to_char(date_trunc('milliseconds', occurred_at AT TIME ZONE 'UTC'), 'YYYY-MM-DD HH24:MI:SS.MS') END AS at
FROM orders.order_steps
JOIN orders.orders USING (order_id)
WHERE step IN ('placed', 'confirmed', 'cancelled', 'refunded')
    OR (step IN ('shipped', 'delivered') AND status <> 'cancelled');
