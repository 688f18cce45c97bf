-- A parcel of one seller left.
SELECT order_id, occurred_at AS shipped_at, 'shipped' AS status, map(seller_id, occurred_at) AS shipped_by FROM order_shipped
