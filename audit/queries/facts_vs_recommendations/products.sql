-- What is kept of each product, told again from the facts: its newest listing, its stock at all sellers, how much it is wanted.
WITH
listings AS (
    SELECT
        product_id,
        argMax((seller_id, name, category, currency, price_minor), occurred_at) AS newest,
        max(occurred_at) AS listed_at
    FROM (
        SELECT product_id, occurred_at, seller_id, name, category, currency, price_minor FROM product_listed FINAL
        UNION ALL
        SELECT product_id, occurred_at, seller_id, name, category, currency, price_minor FROM product_changed FINAL
    )
    GROUP BY product_id
),
delistings AS (
    SELECT product_id, max(occurred_at) AS delisted_at FROM product_delisted FINAL GROUP BY product_id
),
stock AS (
    SELECT product_id, sum(available) AS available, 1 AS counted
    FROM (
        SELECT product_id, seller_id, argMax(greatest(on_hand - reserved, 0), version) AS available
        FROM stock_changed FINAL
        GROUP BY product_id, seller_id
    )
    GROUP BY product_id
)
SELECT
    product_id,
    newest.1 AS seller_id,
    coalesce(newest.2, '') AS name,
    coalesce(newest.3, '') AS category,
    newest.4 AS currency,
    newest.5 AS price_minor,
    toInt64(ifNull(delisted_at, toDateTime64(0, 3, 'UTC')) <= listed_at) AS listed,
    if(counted = 1, toInt64(available), -1) AS available
FROM listings
LEFT JOIN delistings USING (product_id)
LEFT JOIN stock USING (product_id)
