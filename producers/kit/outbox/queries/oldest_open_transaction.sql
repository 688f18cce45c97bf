-- Returns when the oldest open transaction of this service began, or the current time if none is open. Run this before
-- reading the outbox. Rows that the read does not return were written by transactions that began at or after this time.
SELECT least(min(xact_start), statement_timestamp())
FROM pg_stat_activity
WHERE datname = current_database() AND application_name = 'souk ' || current_schema();
