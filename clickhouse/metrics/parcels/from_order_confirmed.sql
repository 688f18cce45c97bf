-- The confirmation, for each seller of the order.
SELECT arrayJoin(arrayDistinct(lines.seller_id)) AS seller_id, order_id, occurred_at AS confirmed_at FROM order_confirmed
