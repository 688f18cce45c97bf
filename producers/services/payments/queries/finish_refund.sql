-- Returns a row if the refund was not done before.
UPDATE refunds SET try_at = NULL WHERE refund_id = $1::uuid AND try_at IS NOT NULL RETURNING refund_id;
