-- Returns statements that let a role ($2) read a schema ($1).
SELECT format('GRANT USAGE ON SCHEMA %I TO %I', $1::text, $2::text)
UNION ALL
SELECT format('GRANT SELECT ON ALL TABLES IN SCHEMA %I TO %I', $1::text, $2::text);
