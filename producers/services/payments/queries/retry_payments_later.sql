UPDATE payments SET try_at = $2::timestamptz WHERE order_id = ANY ($1::uuid[]) AND try_at IS NOT NULL;
