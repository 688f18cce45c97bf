-- A parcel left.
SELECT seller_id, order_id, occurred_at AS shipped_at FROM order_shipped
