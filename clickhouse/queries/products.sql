-- Name and category of the products with these ids.
SELECT
    product_id,
    argMax(name, occurred_at) AS name,
    argMax(category, occurred_at) AS category
FROM product_listed
WHERE product_id IN {product_ids:Array(String)}
GROUP BY product_id
