SELECT version FROM settings WHERE name = $1::text FOR UPDATE;
