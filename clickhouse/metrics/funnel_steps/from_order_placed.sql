-- An order that names its visit, once for each of its sellers.
SELECT
    arrayJoin(arrayDistinct(lines.seller_id)) AS seller_id,
    assumeNotNull(order_placed.session_id) AS session_id,
    occurred_at AS at,
    3 AS step,
    event_id,
    order_id
FROM order_placed
WHERE order_placed.session_id IS NOT NULL
