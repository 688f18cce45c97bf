-- Calls a function of payments in this transaction. Events can't answer whether an order is unpaid, because events of
-- payments may be missing while Kafka is unavailable.
SELECT payments.close_unpaid($1::uuid, $2::uuid);
