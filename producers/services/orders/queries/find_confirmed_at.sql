SELECT occurred_at FROM order_steps WHERE order_id = $1::uuid AND step = 'confirmed';
