-- Returns those of the given products of a seller that have more than $3 costs.
SELECT product_id
FROM product_costs
WHERE seller_id = $1::text AND product_id = ANY ($2::text[])
GROUP BY product_id
HAVING count(*) > $3::integer
ORDER BY product_id;
