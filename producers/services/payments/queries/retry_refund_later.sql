UPDATE refunds SET try_at = $2::timestamptz WHERE refund_id = $1::uuid AND try_at IS NOT NULL;
