UPDATE reservations SET expires_at = $2::timestamptz WHERE order_id = $1::uuid AND state = 'held';
