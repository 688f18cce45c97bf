-- Products with nothing left to sell: by their newest change of stock, longest first.
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
