-- Waits until this session is the only relay of its schema. PostgreSQL releases the lock when the session ends.
--
-- Deletions need no synchronous commit: after a crash, restored rows are published again, and consumers skip them by
-- their event ids.
--
-- oldest_open_transaction.sql selects sessions by application name. The name here excludes this session, which never
-- writes to the outbox but waits for the lock inside a transaction.
SET application_name TO 'souk relay';
SET synchronous_commit TO off;
SELECT pg_advisory_lock(hashtextextended('relay of ' || current_schema(), 0));
