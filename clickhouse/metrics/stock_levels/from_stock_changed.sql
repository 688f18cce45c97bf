-- A change of the stock.
SELECT
    seller_id,
    product_id,
    version,
    occurred_at AS changed_at,
    on_hand,
    greatest(on_hand - reserved, 0) AS available
FROM stock_changed
