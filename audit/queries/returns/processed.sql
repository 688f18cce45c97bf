-- The events of returns that each service processed. An id with slashes is the location of an undecodable message.
SELECT 'inventory' AS service, id AS event_id
FROM inventory.inbox
WHERE topic = 'order_returned' AND strpos(id, '/') = 0
UNION ALL
SELECT 'payments', id
FROM payments.inbox
WHERE topic = 'order_returned' AND strpos(id, '/') = 0;
