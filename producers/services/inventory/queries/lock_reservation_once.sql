-- Records the event and locks the order's reservation. If the reservation is held, also locks the stock of its lines,
-- in the order of the keys. Returns at least one row. The lines of a held reservation never change, so the lines in
-- this statement's snapshot are current.
WITH recorded AS (
    INSERT INTO inbox (id, topic) VALUES ($1::text, $2::text) ON CONFLICT (id) DO NOTHING RETURNING id
), reservation AS (
    SELECT order_id, reservation_id, state
    FROM reservations
    WHERE order_id = $3::uuid AND EXISTS (SELECT FROM recorded)
    FOR UPDATE
), held AS (
    SELECT line_number, stock.product_id, stock.seller_id, quantity, returned, written_off,
        stock.on_hand, stock.reserved, stock.version
    FROM reservation
    JOIN reserved_lines USING (order_id)
    JOIN stock USING (product_id, seller_id)
    WHERE reservation.state = 'held'
    ORDER BY stock.product_id, stock.seller_id
    FOR UPDATE OF stock
)
SELECT EXISTS (SELECT FROM recorded) AS first_time, reservation.*, held.*
FROM (SELECT) AS always LEFT JOIN reservation ON true LEFT JOIN held ON true
ORDER BY line_number;
