-- Waits until this session is the only relay of its schema. PostgreSQL releases the lock when the session ends. The
-- relay's deletions need no synchronous commit: rows that a crash restores are published again, and consumers know
-- their event ids.
-- The name keeps this session, which waits inside a transaction, apart from those that write to the outbox.
SET application_name TO 'souk relay';
SET synchronous_commit TO off;
SELECT pg_advisory_lock(hashtextextended('relay of ' || current_schema(), 0));
