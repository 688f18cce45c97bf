-- Payments and refunds that wait for the provider.
SELECT
    (SELECT count(*) FROM payments.payments WHERE try_at IS NOT NULL)
    + (SELECT count(*) FROM payments.refunds WHERE try_at IS NOT NULL) AS waiting;
