-- The median days between two purchases of a product by the same shopper: by product and, as the product '', by category.
WITH
    categories AS
    (
        SELECT product_id, category
        FROM
        (
            SELECT product_id, occurred_at, event_id, caseFoldUTF8(ifNull(category, '')) AS category
            FROM product_listed
            UNION ALL
            SELECT product_id, occurred_at, event_id, caseFoldUTF8(ifNull(category, ''))
            FROM product_changed
        )
        ORDER BY occurred_at DESC, event_id DESC
        LIMIT 1 BY product_id
    ),
    gaps AS
    (
        SELECT
            product_id,
            day - lagInFrame(day) OVER (PARTITION BY shopper_id, product_id ORDER BY day ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) AS days,
            row_number() OVER (PARTITION BY shopper_id, product_id ORDER BY day) AS purchase
        FROM
        (
            SELECT DISTINCT shopper_id, product_id, toDate(placed_at) AS day
            FROM order_lines
            WHERE placed_at >= {since:DateTime('UTC')}
                AND product_id IN (SELECT product_id FROM categories WHERE category IN {categories:Array(String)})
                AND order_id NOT IN (SELECT order_id FROM order_cancelled)
        )
    )
SELECT
    categories.category AS category,
    arrayJoin(['', gaps.product_id]) AS product_id,
    count() AS purchases_again,
    quantileExact(0.5)(gaps.days) AS median_days
FROM gaps
INNER JOIN categories ON categories.product_id = gaps.product_id
WHERE gaps.purchase > 1
GROUP BY category, product_id
ORDER BY purchases_again DESC, category, product_id
LIMIT {limit:UInt32}
