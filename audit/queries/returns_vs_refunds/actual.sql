-- Refunds of returns, including those that are not completed yet. One of 0 gives only the marketplace its part back.
SELECT order_id::text AS order_id, return_id, amount_minor AS refund_minor
FROM payments.refunds
WHERE reason = 'order_returned' AND amount_minor > 0;
