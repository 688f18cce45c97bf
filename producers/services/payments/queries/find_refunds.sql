SELECT refund_id, amount_minor, reason, return_id, try_at IS NULL AS done
FROM refunds
WHERE order_id = $1::uuid
ORDER BY refund_id;
