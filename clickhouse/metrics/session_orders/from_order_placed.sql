-- An order that names its visit.
SELECT
    assumeNotNull(session_id) AS session_id,
    occurred_at AS placed_at,
    order_id,
    arrayZip(lines.seller_id, lines.product_id) AS offers
FROM order_placed
WHERE order_placed.session_id IS NOT NULL
