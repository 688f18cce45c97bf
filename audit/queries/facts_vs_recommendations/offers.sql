-- Each seller's offer of each product as in Redis, computed from the facts: the newest listing, and the stock.
WITH
listings AS (
    SELECT
        product_id,
        seller_id,
        argMax((name, category, currency, price_minor, group_id, attributes), occurred_at) AS newest,
        max(occurred_at) AS listed_at
    FROM (
        SELECT product_id, occurred_at, seller_id, name, category, currency, price_minor, group_id, attributes
        FROM product_listed FINAL
        UNION ALL
        SELECT product_id, occurred_at, seller_id, name, category, currency, price_minor, group_id, attributes
        FROM product_changed FINAL
    )
    GROUP BY product_id, seller_id
),
delistings AS (
    SELECT product_id, seller_id, max(occurred_at) AS delisted_at
    FROM product_delisted FINAL
    GROUP BY product_id, seller_id
),
stock AS (
    SELECT product_id, seller_id, argMax(greatest(on_hand - reserved, 0), version) AS available, 1 AS counted
    FROM stock_changed FINAL
    GROUP BY product_id, seller_id
)
SELECT
    product_id,
    seller_id,
    coalesce(newest.1, '') AS name,
    coalesce(newest.2, '') AS category,
    newest.3 AS currency,
    newest.4 AS price_minor,
    coalesce(newest.5, '') AS group_id,
    arrayStringConcat(arraySort(arrayMap((key, value) -> concat(key, '=', value), mapKeys(newest.6), mapValues(newest.6))), '\n')
        AS attributes,
    toInt64(ifNull(delisted_at, toDateTime64(0, 3, 'UTC')) <= listed_at) AS listed,
    if(ifNull(counted, 0) = 1, toInt64(ifNull(available, 0)), -1) AS available
FROM listings
LEFT JOIN delistings USING (product_id, seller_id)
LEFT JOIN stock USING (product_id, seller_id)
