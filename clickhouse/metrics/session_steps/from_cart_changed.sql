-- An addition to the cart by the shopper: carts that are merged, and orders that come to nothing, add nothing new.
SELECT
    session_id,
    occurred_at AS first_at,
    occurred_at AS last_at,
    [(toUnixTimestamp64Milli(occurred_at), toUInt8(2), '', cart_changed.seller_id)] AS steps
FROM cart_changed
WHERE quantity > quantity_before AND reason IS NULL
