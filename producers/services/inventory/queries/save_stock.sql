-- Saves locked stock rows, the state of the reservation that they belong to, and the lines that it reserves.
WITH moved AS (
    UPDATE reservations SET state = $7::text WHERE order_id = $6::uuid AND state <> $7::text
), held AS (
    INSERT INTO reserved_lines (order_id, line_number, product_id, seller_id, quantity)
    SELECT $6::uuid, line.*
    FROM unnest($8::integer[], $9::text[], $10::text[], $11::integer[]) AS line
)
UPDATE stock
SET on_hand = changed.on_hand, reserved = changed.reserved, version = changed.version
FROM unnest($1::text[], $2::text[], $3::integer[], $4::integer[], $5::bigint[])
    AS changed (product_id, seller_id, on_hand, reserved, version)
WHERE stock.product_id = changed.product_id AND stock.seller_id = changed.seller_id;
