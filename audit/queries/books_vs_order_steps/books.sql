-- The steps that the service itself decided, with their times, and that parcels left and came, and money went back.
-- What carriers say of a cancelled order is no step of it.
SELECT DISTINCT
    order_id::text AS order_id,
    step,
    CASE WHEN step IN ('placed', 'confirmed', 'cancelled')
        THEN floor(extract(epoch FROM occurred_at) * 1000)::bigint END AS at_ms
FROM orders.order_steps
JOIN orders.orders USING (order_id)
WHERE step IN ('placed', 'confirmed', 'cancelled', 'refunded')
    OR (step IN ('shipped', 'delivered') AND status <> 'cancelled');
