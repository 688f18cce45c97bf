-- The lock is held until the transaction ends. Without it, concurrent changes of a role or of a database's grants fail.
SELECT pg_advisory_xact_lock(hashtextextended('roles', 0));
