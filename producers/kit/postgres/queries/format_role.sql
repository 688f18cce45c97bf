-- Returns statements that set the rights and the password of a role ($2, with the SCRAM verifier $3) and make it the
-- owner of a schema ($1). Identifiers can't be parameters, so PostgreSQL's format() quotes them.
SELECT format(
    'ALTER ROLE %I LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS PASSWORD %L', $2::text, $3::text
)
UNION ALL
SELECT format('GRANT CONNECT ON DATABASE %I TO %I', current_database(), $2::text)
UNION ALL
SELECT format('ALTER SCHEMA %I OWNER TO %I', $1::text, $2::text);
