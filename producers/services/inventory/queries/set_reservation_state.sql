UPDATE reservations SET state = $2::text WHERE order_id = $1::uuid;
