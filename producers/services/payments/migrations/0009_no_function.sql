-- The rule of payments of expired orders is `Payment.expired` (model.py).
DROP FUNCTION close_unpaid (uuid, uuid);
