-- The number of the newest migration that was applied; 0 if none was.
SELECT max(number) AS newest FROM schema_migrations
