-- Events that are committed and not yet acknowledged by Kafka.
SELECT 'orders' AS service, count(*) AS waiting FROM orders.outbox
UNION ALL
SELECT 'inventory', count(*) FROM inventory.outbox
UNION ALL
SELECT 'payments', count(*) FROM payments.outbox;
