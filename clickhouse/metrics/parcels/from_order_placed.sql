-- The order, for each of its sellers.
SELECT arrayJoin(arrayDistinct(lines.seller_id)) AS seller_id, order_id, occurred_at AS placed_at, estimated_delivery_at AS promised_at
FROM order_placed
