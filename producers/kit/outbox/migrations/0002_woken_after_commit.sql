-- A transaction with a NOTIFY commits alone, its flush included: who commits wakes the relay afterwards.
DROP TRIGGER wake_relay ON outbox;
DROP FUNCTION wake_relay();
