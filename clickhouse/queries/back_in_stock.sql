-- Products of which no seller had a unit available, until somebody had one again since a moment; the newest first.
WITH
    changes AS
    (
        SELECT product_id, seller_id, version, occurred_at, greatest(on_hand - reserved, 0) AS available
        FROM stock_changed
        WHERE product_id IN (
            SELECT product_id FROM stock_changed
            WHERE occurred_at >= {since:DateTime('UTC')} AND on_hand <= reserved
        )
        LIMIT 1 BY product_id, seller_id, version
    ),
    -- The state of each seller at the beginning, then each change.
    steps AS
    (
        SELECT product_id, seller_id, max(before.version) AS version, toDateTime64({since:DateTime('UTC')}, 3, 'UTC') AS at,
            argMax(before.available, before.version) AS available
        FROM changes AS before
        WHERE occurred_at < {since:DateTime('UTC')}
        GROUP BY product_id, seller_id
        UNION ALL
        SELECT product_id, seller_id, version, occurred_at, available
        FROM changes
        WHERE occurred_at >= {since:DateTime('UTC')}
    )
SELECT product_id, max(at) AS back_at, toUnixTimestamp64Milli(back_at) / 1000 AS back_s
FROM
(
    SELECT
        product_id,
        at,
        total,
        lagInFrame(total, 1, toInt64(1)) OVER (PARTITION BY product_id ORDER BY at, seller_id, version
            ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) AS total_before
    FROM
    (
        SELECT
            product_id,
            seller_id,
            version,
            at,
            sum(toInt64(step)) OVER (PARTITION BY product_id ORDER BY at, seller_id, version
                ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS total
        FROM
        (
            SELECT product_id, seller_id, version, at,
                available - lagInFrame(available, 1, 0) OVER (PARTITION BY product_id, seller_id ORDER BY version
                    ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) AS step
            FROM steps
        )
    )
)
WHERE total > 0 AND total_before = 0
GROUP BY product_id
ORDER BY back_at DESC, product_id
LIMIT {limit:UInt32}
