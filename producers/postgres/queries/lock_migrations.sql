-- Held until the transaction ends: one process migrates a schema at a time.
SELECT pg_advisory_xact_lock(hashtextextended('migrations of ' || $1::text, 0));
