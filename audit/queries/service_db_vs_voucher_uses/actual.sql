-- The vouchers that lowered the lines of orders of the service, without orders that were cancelled.
SELECT DISTINCT order_id, assumeNotNull(lowered_by) AS voucher_id
FROM
(
    SELECT order_id, lines FROM order_placed FINAL WHERE match(order_id, {own_order:String})
)
ARRAY JOIN arrayConcat(lines.line_voucher_id, lines.order_voucher_id) AS lowered_by
WHERE lowered_by IS NOT NULL AND order_id NOT IN (SELECT order_id FROM order_cancelled)
