-- Returns whether a return of a locked order was recorded before.
SELECT EXISTS (SELECT FROM order_steps WHERE order_id = $1::uuid AND step = 'returned' AND about = $2::text);
