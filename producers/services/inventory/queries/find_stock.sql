-- Returns the stock of the given seller, or of the seller with the most available units.
SELECT product_id, seller_id, on_hand, reserved, version
FROM stock
WHERE product_id = $1::text AND ($2::text IS NULL OR seller_id = $2::text)
ORDER BY on_hand - reserved DESC, seller_id
LIMIT 1;
