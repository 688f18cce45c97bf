-- The stock of inventory, without what is reserved. Version 0 is of a product whose stock was never set: no event tells of it.
SELECT product_id, seller_id, on_hand - reserved AS available, version
FROM inventory.stock
WHERE version > 0;
