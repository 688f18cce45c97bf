-- Payments' own function, in this transaction: an event could not say that nothing is paid while Kafka is unavailable.
SELECT payments.close_unpaid($1::uuid, $2::uuid);
