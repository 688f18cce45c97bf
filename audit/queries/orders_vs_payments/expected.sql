-- What the shop must have of each order's money before returns: all of a confirmed one's, nothing of a cancelled one's.
SELECT
    order_id::text AS order_id,
    currency,
    CASE WHEN status IN ('confirmed', 'shipped', 'delivered') THEN amount_minor ELSE 0 END AS kept_minor
FROM orders.orders;
