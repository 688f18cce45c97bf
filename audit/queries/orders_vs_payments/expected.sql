-- The money that the shop must keep of each order before returns: all if it is confirmed, else nothing.
SELECT
    order_id::text AS order_id,
    currency,
    CASE WHEN status IN ('confirmed', 'shipped', 'delivered') THEN amount_minor ELSE 0 END AS kept_minor
FROM orders.orders;
