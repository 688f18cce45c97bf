-- The first and the last month of the shop in which anything was sold, by the facts or by the metrics; no row if nothing was.
SELECT
    formatDateTime(min(sold_at), '%Y-%m', {timezone:String}) AS first_month,
    formatDateTime(max(sold_at), '%Y-%m', {timezone:String}) AS last_month
FROM
(
    SELECT assumeNotNull(placed_at) AS sold_at FROM order_confirmed WHERE placed_at IS NOT NULL
    UNION ALL
    SELECT minute FROM seller_sales_minute
)
HAVING count() > 0
