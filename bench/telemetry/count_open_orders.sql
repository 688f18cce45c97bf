-- The orders that have not ended, and the events that are not in Kafka yet.
SELECT
    (SELECT count(*) FROM orders.orders WHERE status = 'placed')
    + (SELECT count(*) FROM orders.outbox)
    + (SELECT count(*) FROM inventory.outbox)
    + (SELECT count(*) FROM payments.outbox)
