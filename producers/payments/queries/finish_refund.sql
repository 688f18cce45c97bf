-- A row for the first who says so.
UPDATE refunds SET try_at = NULL WHERE refund_id = $1::uuid AND try_at IS NOT NULL RETURNING refund_id;
