-- The events that wait in the outbox of each service.
SELECT 'orders' AS service, position FROM orders.outbox
UNION ALL
SELECT 'inventory', position FROM inventory.outbox
UNION ALL
SELECT 'payments', position FROM payments.outbox
UNION ALL
SELECT 'users', position FROM users.outbox
UNION ALL
SELECT 'sellers', position FROM sellers.outbox
UNION ALL
SELECT 'configuration', position FROM configuration.outbox
UNION ALL
SELECT 'alerts', position FROM alerts.outbox;
