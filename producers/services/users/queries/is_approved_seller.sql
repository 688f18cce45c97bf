-- Whether a seller may sell now.
SELECT EXISTS (SELECT FROM seller_status WHERE seller_id = $1::text AND approved);
