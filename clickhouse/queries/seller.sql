-- What a seller is called, where they are and since when; no row for one who never registered.
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
