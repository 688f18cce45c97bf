SELECT coalesce(sum(amount_minor), 0)::bigint FROM refunds WHERE order_id = $1::uuid;
