-- The cancellation, for each seller of the order.
SELECT
    arrayJoin(arrayDistinct(lines.seller_id)) AS seller_id,
    order_id,
    occurred_at AS cancelled_at,
    reason AS cancellation_reason
FROM order_cancelled
