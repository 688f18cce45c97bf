-- The points of every order.
SELECT order_id::text AS order_id, shopper_id, points FROM loyalty.points;
