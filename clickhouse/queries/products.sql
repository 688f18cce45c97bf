-- Name and category of the products with these ids, from their newest listing or change.
SELECT product_id, name, category
FROM
(
    SELECT product_id, occurred_at, name, category FROM product_listed
    WHERE product_id IN {product_ids:Array(String)}
    UNION ALL
    SELECT product_id, occurred_at, name, category FROM product_changed
    WHERE product_id IN {product_ids:Array(String)}
)
ORDER BY occurred_at DESC
LIMIT 1 BY product_id
