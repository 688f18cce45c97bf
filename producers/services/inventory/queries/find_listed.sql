-- Returns those of the given products that their sellers list.
SELECT product_id, seller_id
FROM listings
JOIN unnest($1::text[], $2::text[]) AS wanted (product_id, seller_id) USING (product_id, seller_id)
WHERE listed;
