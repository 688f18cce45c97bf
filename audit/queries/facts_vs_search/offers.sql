-- Each offer that searches find, computed from the facts: listed, in the shop's currency, of a seller who may sell.
WITH
listings AS (
    SELECT
        product_id,
        seller_id,
        argMax((name, category, currency, price_minor), (occurred_at, event_id)) AS newest,
        max(occurred_at) AS listed_at
    FROM (
        SELECT product_id, occurred_at, event_id, seller_id, name, category, currency, price_minor FROM product_listed FINAL
        UNION ALL
        SELECT product_id, occurred_at, event_id, seller_id, name, category, currency, price_minor FROM product_changed FINAL
    )
    GROUP BY product_id, seller_id
),
delistings AS (
    SELECT product_id, seller_id, max(occurred_at) AS delisted_at
    FROM product_delisted FINAL
    GROUP BY product_id, seller_id
),
stock AS (
    SELECT product_id, seller_id, argMax(on_hand - reserved, version) AS available, 1 AS counted
    FROM stock_changed FINAL
    GROUP BY product_id, seller_id
),
suspended AS (
    SELECT seller_id
    FROM seller_status_changed FINAL
    GROUP BY seller_id
    HAVING argMax(status, occurred_at) = 'suspended'
)
SELECT
    product_id,
    seller_id,
    coalesce(newest.1, '') AS name,
    coalesce(newest.2, '') AS category,
    newest.4 AS price_minor,
    toInt64(ifNull(counted, 0) = 0 OR ifNull(available, 0) > 0) AS in_stock
FROM listings
LEFT JOIN delistings USING (product_id, seller_id)
LEFT JOIN stock USING (product_id, seller_id)
WHERE newest.3 = {currency:String}
    AND ifNull(delisted_at, toDateTime64(0, 3, 'UTC')) <= listed_at
    AND seller_id NOT IN (SELECT seller_id FROM suspended)
