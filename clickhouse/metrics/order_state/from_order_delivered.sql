-- A parcel of one seller arrived.
SELECT order_id, occurred_at AS delivered_at, 'delivered' AS status, map(seller_id, occurred_at) AS delivered_by
FROM order_delivered
