-- How every order was paid, if its payment has an outcome, and why it was cancelled.
SELECT
    order_id::text AS order_id,
    payment_status,
    CASE WHEN payment_status <> 'pending' AND amount_minor > 0 THEN payment_method END AS payment_method,
    cancellation_reason
FROM orders.orders;
