-- Who a seller is, and from when to when it has sold; no row when nobody knows the seller.
SELECT
    {seller_id:String} AS seller_id,
    name,
    city,
    state,
    country,
    first_minute,
    newest_minute
FROM
(
    SELECT
        argMax(name, occurred_at) AS name,
        argMax(city, occurred_at) AS city,
        argMax(state, occurred_at) AS state,
        argMax(country, occurred_at) AS country,
        count() AS registrations
    FROM seller_registered
    WHERE seller_id = {seller_id:String}
) AS registered
CROSS JOIN
(
    SELECT
        minOrNull(minute) AS first_minute,
        maxOrNull(minute) AS newest_minute
    FROM seller_sales_minute -- a history that begins in the middle knows some by what was cancelled alone
    WHERE seller_id = {seller_id:String}
) AS sold
WHERE registrations > 0 OR newest_minute IS NOT NULL
