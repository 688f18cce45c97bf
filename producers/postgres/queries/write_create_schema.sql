-- Names are no parameters of statements, so PostgreSQL itself quotes this one.
SELECT format('CREATE SCHEMA IF NOT EXISTS %I', $1::text);
