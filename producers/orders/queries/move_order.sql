UPDATE orders SET status = $2::text, cancellation_reason = $3::text WHERE order_id = $1::uuid;
