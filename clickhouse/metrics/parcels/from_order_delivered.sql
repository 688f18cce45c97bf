-- A parcel arrived.
SELECT seller_id, order_id, occurred_at AS delivered_at FROM order_delivered
