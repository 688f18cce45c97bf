-- Name, location and time of registration of a seller; no row if the seller never registered.
SELECT
    seller_id,
    argMax(name, occurred_at) AS name,
    argMax(city, occurred_at) AS city,
    argMax(state, occurred_at) AS state,
    argMax(country, occurred_at) AS country,
    min(occurred_at) AS registered_at
FROM seller_registered
WHERE seller_id = {seller_id:String}
GROUP BY seller_id
