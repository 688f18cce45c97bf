-- Held until the transaction ends: concurrent changes of one role or of one database's grants fail otherwise.
SELECT pg_advisory_xact_lock(hashtextextended('roles', 0));
