-- Events that wait in outboxes, and payments and refunds that wait for the provider.
SELECT
    (SELECT count(*) FROM orders.outbox)
    + (SELECT count(*) FROM inventory.outbox)
    + (SELECT count(*) FROM payments.outbox)
    + (SELECT count(*) FROM users.outbox)
    + (SELECT count(*) FROM sellers.outbox)
    + (SELECT count(*) FROM configuration.outbox)
    + (SELECT count(*) FROM alerts.outbox)
    + (SELECT count(*) FROM payments.payments WHERE try_at IS NOT NULL)
    + (SELECT count(*) FROM payments.refunds WHERE try_at IS NOT NULL) AS under_way;
