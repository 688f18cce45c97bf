-- Refunds of returns, those on their way, too.
SELECT order_id::text AS order_id, return_id, amount_minor AS refund_minor
FROM payments.refunds
WHERE reason = 'order_returned';
