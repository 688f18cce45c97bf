-- Returns statements that let a role ($3) read some tables ($2) of a schema ($1).
SELECT format('GRANT USAGE ON SCHEMA %I TO %I', $1::text, $3::text)
UNION ALL
SELECT format('GRANT SELECT ON %I.%I TO %I', $1::text, name, $3::text) FROM unnest($2::text[]) AS name;
