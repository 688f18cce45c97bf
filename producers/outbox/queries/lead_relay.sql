-- Waits until this session is the only relay of its schema; PostgreSQL frees the lock when the session ends.
SELECT pg_advisory_lock(hashtextextended('relay of ' || current_schema(), 0));
