-- Rows that are locked.
UPDATE stock
SET on_hand = changed.on_hand, reserved = changed.reserved, version = changed.version
FROM unnest($1::text[], $2::text[], $3::integer[], $4::integer[], $5::bigint[])
    AS changed (product_id, seller_id, on_hand, reserved, version)
WHERE stock.product_id = changed.product_id AND stock.seller_id = changed.seller_id;
