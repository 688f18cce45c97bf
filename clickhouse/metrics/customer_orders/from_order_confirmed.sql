-- A sale, once for each seller of the order.
SELECT
    arrayJoin(arrayDistinct(lines.seller_id)) AS seller_id,
    shopper_id,
    toDateTime(toStartOfMinute(assumeNotNull(placed_at)), 'UTC') AS minute,
    order_id,
    assumeNotNull(currency) AS currency,
    1 AS orders
FROM order_confirmed
WHERE order_confirmed.placed_at IS NOT NULL
