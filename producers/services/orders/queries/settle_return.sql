-- Returns a row if the return was not settled before.
DELETE FROM unsettled_returns WHERE order_id = $1::uuid AND return_id = $2::text RETURNING return_id;
