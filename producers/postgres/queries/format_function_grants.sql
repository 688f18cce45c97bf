-- Returns statements that let a role ($3) call some functions ($2, with their argument types) of a schema ($1).
SELECT format('GRANT USAGE ON SCHEMA %I TO %I', $1::text, $3::text)
UNION ALL
SELECT format('GRANT EXECUTE ON FUNCTION %s TO %I', (quote_ident($1) || '.' || name)::regprocedure, $3::text)
FROM unnest($2::text[]) AS name;
