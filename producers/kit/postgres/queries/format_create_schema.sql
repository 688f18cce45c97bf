-- An identifier can't be a statement's parameter, so PostgreSQL's format() quotes it.
SELECT format('CREATE SCHEMA IF NOT EXISTS %I', $1::text);
