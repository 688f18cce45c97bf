-- The steps that the service itself decided, with their times, and that parcels left and came, and money went back.
-- What carriers say of a cancelled order is no step of it.
SELECT DISTINCT
    order_id::text AS order_id,
    step,
    CASE WHEN step IN ('placed', 'confirmed', 'cancelled')
        THEN to_char(date_trunc('milliseconds', occurred_at AT TIME ZONE 'UTC'), 'YYYY-MM-DD HH24:MI:SS.MS') END AS at
FROM orders.order_steps
JOIN orders.orders USING (order_id)
WHERE step IN ('placed', 'confirmed', 'cancelled', 'refunded')
    OR (step IN ('shipped', 'delivered') AND status <> 'cancelled');
