-- Products without available stock according to their newest change, the longest without stock first.
SELECT
    product_id,
    seller_id,
    argMax(on_hand, version) AS on_hand_now,
    argMax(reserved, version) AS reserved_now,
    argMax(occurred_at, version) AS since
FROM stock_changed
GROUP BY product_id, seller_id
HAVING on_hand_now <= reserved_now
ORDER BY since, product_id
LIMIT 100
