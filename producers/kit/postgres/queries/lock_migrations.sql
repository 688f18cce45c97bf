-- The lock is held until the transaction ends, so that one process at a time migrates a schema.
SELECT pg_advisory_xact_lock(hashtextextended('migrations of ' || $1::text, 0));
