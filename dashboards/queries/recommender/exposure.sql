-- How many products and sellers were shown as recommendations, and how many of the listed products these are.
SELECT
    (SELECT uniqExact(product_id) FROM product_listed) AS listed,
    uniqExact(item.product_id) AS shown_products,
    uniqExactIf(item.seller_id, item.seller_id IS NOT NULL) AS shown_sellers,
    if(listed > 0, shown_products / listed, NULL) AS shown_share
FROM recommendation_shown
ARRAY JOIN items AS item
WHERE occurred_at >= {period_start:DateTime('UTC')}
    AND occurred_at < {period_end:DateTime('UTC')}
