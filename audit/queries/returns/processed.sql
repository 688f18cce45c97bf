-- The events of returns that orders processed. An id with slashes is the location of an undecodable message.
SELECT id AS event_id FROM orders.inbox WHERE topic = 'order_returned' AND strpos(id, '/') = 0;
