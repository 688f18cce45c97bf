-- The number of events in each service's outbox, which Kafka has not acknowledged yet.
SELECT 'orders' AS service, count(*) AS waiting FROM orders.outbox
UNION ALL
SELECT 'inventory', count(*) FROM inventory.outbox
UNION ALL
SELECT 'payments', count(*) FROM payments.outbox
UNION ALL
SELECT 'users', count(*) FROM users.outbox
UNION ALL
SELECT 'sellers', count(*) FROM sellers.outbox
UNION ALL
SELECT 'configuration', count(*) FROM configuration.outbox
UNION ALL
SELECT 'alerts', count(*) FROM alerts.outbox;
