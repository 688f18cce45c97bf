-- The uses that count for the limits of vouchers.
SELECT order_id::text AS order_id, voucher_id::text AS voucher_id
FROM orders.voucher_uses
WHERE given_back_at IS NULL;
