-- Categories that have products on offer, the largest first, with how many.
SELECT category, count() AS products
FROM
(
    SELECT category, currency, on_offer
    FROM
    (
        SELECT product_id, occurred_at, category, currency, true AS on_offer FROM product_listed
        UNION ALL
        SELECT product_id, occurred_at, category, currency, true FROM product_changed
        UNION ALL
        SELECT product_id, occurred_at, NULL, '', false FROM product_delisted
    )
    ORDER BY product_id, occurred_at DESC
    LIMIT 1 BY product_id
)
WHERE on_offer
    AND currency = {currency:String}
    AND category != ''
GROUP BY category
ORDER BY products DESC, category
