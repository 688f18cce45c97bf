-- Records the event, opens the order's reservation, and then locks the stock of its products in the order of the keys.
-- Returns at least one row. If the order has a reservation already, `opened` is false and no stock is locked.
WITH recorded AS (
    INSERT INTO inbox (id, topic) VALUES ($1::text, $2::text) ON CONFLICT (id) DO NOTHING RETURNING id
), opened AS (
    INSERT INTO reservations (order_id, reservation_id, state, expires_at)
    SELECT $3::uuid, $4::uuid, 'held', $5::timestamptz FROM recorded
    ON CONFLICT (order_id) DO NOTHING
    RETURNING order_id
), locked AS (
    SELECT stock.product_id, stock.seller_id, stock.on_hand, stock.reserved, stock.version
    FROM stock
    JOIN unnest($6::text[], $7::text[]) AS wanted (product_id, seller_id) USING (product_id, seller_id)
    WHERE EXISTS (SELECT FROM opened)
    ORDER BY stock.product_id, stock.seller_id
    FOR UPDATE OF stock
)
SELECT EXISTS (SELECT FROM recorded) AS first_time, EXISTS (SELECT FROM opened) AS opened, locked.*
FROM (SELECT) AS always LEFT JOIN locked ON true;
