-- Whether a seller may sell now.
SELECT is_approved_seller($1::text);
