-- Every change of a seller locks its row first, so that changes of one seller run one after the other.
SELECT status FROM sellers WHERE seller_id = $1::text FOR UPDATE;
