-- The events that each service processed. An id with slashes is the location of an undecodable message.
SELECT 'orders' AS service, id AS event_id, topic FROM orders.inbox WHERE strpos(id, '/') = 0
UNION ALL
SELECT 'inventory', id, topic FROM inventory.inbox WHERE strpos(id, '/') = 0
UNION ALL
SELECT 'payments', id, topic FROM payments.inbox WHERE strpos(id, '/') = 0
UNION ALL
SELECT 'users', id, topic FROM users.inbox WHERE strpos(id, '/') = 0
UNION ALL
SELECT 'sellers', id, topic FROM sellers.inbox WHERE strpos(id, '/') = 0
UNION ALL
SELECT 'configuration', id, topic FROM configuration.inbox WHERE strpos(id, '/') = 0
UNION ALL
SELECT 'alerts', id, topic FROM alerts.inbox WHERE strpos(id, '/') = 0;
