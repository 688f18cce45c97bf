-- The name, category, seller and attributes of each product in its newest version. The words of attributes are learned, as those of names.
SELECT
    product_id AS item,
    argMax(name, occurred_at) AS name,
    argMax(category, occurred_at) AS category,
    argMax(seller_id, occurred_at) AS seller,
    toJSONString(argMax(attributes, occurred_at)) AS attributes
FROM
(
    SELECT product_id, name, category, seller_id, attributes, occurred_at FROM product_listed FINAL
    UNION ALL
    SELECT product_id, name, category, seller_id, attributes, occurred_at FROM product_changed FINAL
)
GROUP BY product_id
ORDER BY product_id
