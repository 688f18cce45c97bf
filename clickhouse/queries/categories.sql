-- The number of products on offer in each category, largest category first.
SELECT category, uniqExact(product_id) AS products
FROM
(
    SELECT product_id, category, currency, on_offer
    FROM
    (
        SELECT product_id, seller_id, occurred_at, category, currency, true AS on_offer FROM product_listed
        UNION ALL
        SELECT product_id, seller_id, occurred_at, category, currency, true FROM product_changed
        UNION ALL
        SELECT product_id, seller_id, occurred_at, NULL, '', false FROM product_delisted
    )
    ORDER BY product_id, seller_id, occurred_at DESC
    LIMIT 1 BY product_id, seller_id
)
WHERE on_offer
    AND currency = {currency:String}
    AND category != ''
GROUP BY category
ORDER BY products DESC, category
