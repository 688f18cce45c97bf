-- When the oldest open transaction of this service began; now if none is open. Run this before reading the outbox: what
-- that read does not see was written by a transaction that began at or after this time.
SELECT least(min(xact_start), statement_timestamp())
FROM pg_stat_activity
WHERE datname = current_database() AND application_name = 'souk ' || current_schema();
