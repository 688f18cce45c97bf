-- An order that names its visit.
SELECT
    assumeNotNull(session_id) AS session_id,
    occurred_at AS placed_at,
    order_id,
    arrayDistinct(lines.seller_id) AS seller_ids
FROM order_placed
WHERE order_placed.session_id IS NOT NULL
