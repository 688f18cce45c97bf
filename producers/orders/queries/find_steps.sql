SELECT step AS status, occurred_at AS at FROM order_steps WHERE order_id = $1::uuid ORDER BY occurred_at, step;
