-- Orders from the time before payments stored order lines.
SELECT order_id::text AS order_id
FROM payments.payments
WHERE amount_minor IS NOT NULL
    AND NOT EXISTS (SELECT FROM payments.due_lines WHERE due_lines.order_id = payments.order_id);
