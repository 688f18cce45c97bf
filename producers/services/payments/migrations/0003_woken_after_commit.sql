-- A transaction with a NOTIFY commits alone, its flush included: who commits wakes who asks afterwards.
DROP TRIGGER wake_asking ON payments;
DROP TRIGGER wake_asking ON refunds;
DROP FUNCTION wake_asking();
