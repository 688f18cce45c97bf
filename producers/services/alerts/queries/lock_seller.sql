-- Whether the seller may sell now. Nobody else adds something of the seller until the end of the transaction.
SELECT is_approved($1::text) FROM lock_seller($1::text);
