-- Units that are reserved, of every product that was ever ordered, from the stock.
SELECT product_id, seller_id, reserved
FROM inventory.stock
WHERE reserved > 0 OR EXISTS (
    SELECT FROM inventory.reserved_lines AS line
    WHERE line.product_id = stock.product_id AND line.seller_id = stock.seller_id
);
