-- A product as it was listed or changed last, and whether it still is on offer; no row when nobody ever listed it.
SELECT product_id, seller_id, name, category, currency, price_minor, occurred_at >= delisted_at AS on_offer
FROM
(
    SELECT *
    FROM
    (
        SELECT product_id, occurred_at, seller_id, name, category, currency, price_minor FROM product_listed
        UNION ALL
        SELECT product_id, occurred_at, seller_id, name, category, currency, price_minor FROM product_changed
    )
    WHERE product_id = {product_id:String}
    ORDER BY occurred_at DESC
    LIMIT 1
) AS listing
CROSS JOIN
(
    SELECT max(occurred_at) AS delisted_at
    FROM product_delisted
    WHERE product_id = {product_id:String}
) AS gone
