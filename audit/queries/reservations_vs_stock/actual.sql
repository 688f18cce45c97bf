-- The same by the stock itself.
SELECT product_id, seller_id, reserved FROM inventory.stock WHERE reserved > 0;
