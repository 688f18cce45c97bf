UPDATE orders SET payment_status = $2::text WHERE order_id = $1::uuid;
