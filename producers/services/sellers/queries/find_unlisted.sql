-- Returns those of the given products that a seller has never listed.
SELECT product_id
FROM unnest($2::text[]) AS given (product_id)
WHERE NOT EXISTS (
    SELECT FROM listings
    WHERE listings.product_id = given.product_id AND listings.seller_id = $1::text
);
