-- Returns statements that hide some tables ($2) of a schema ($1) from a role ($3).
SELECT format('REVOKE SELECT ON %I.%I FROM %I', $1::text, name, $3::text) FROM unnest($2::text[]) AS name;
