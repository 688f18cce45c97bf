-- Waits until this session is the only relay of its schema; PostgreSQL frees the lock when the session ends. What it
-- deletes need not be on disk when it goes on: what a crash brings back is published again, and consumers know the ids.
SET synchronous_commit TO off;
SELECT pg_advisory_lock(hashtextextended('relay of ' || current_schema(), 0));
