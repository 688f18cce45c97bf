-- Returns at most $3 products of a seller after $2, by id, each with its costs in the currency $4, oldest first.
SELECT listing.product_id, listing.listed, found.valid_from, found.unit_cost_minor
FROM (
    SELECT product_id, listed
    FROM listings
    WHERE seller_id = $1::text AND product_id > $2::text
    ORDER BY product_id
    LIMIT $3::integer
) AS listing
LEFT JOIN product_costs AS found
    ON found.seller_id = $1::text AND found.product_id = listing.product_id AND found.currency = $4::text
        AND found.unit_cost_minor IS NOT NULL
ORDER BY listing.product_id, found.valid_from;
