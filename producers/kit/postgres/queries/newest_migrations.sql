SELECT migrations_of, max(number) AS newest FROM schema_migrations GROUP BY migrations_of;
