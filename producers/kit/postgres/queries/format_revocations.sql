-- Returns statements that take from the roles of other services (LIKE $2), but not from audits ($3), what earlier versions
-- granted them in a schema ($1).
SELECT format('REVOKE ALL ON %s %I FROM %I', what, $1::text, rolname)
FROM pg_namespace
CROSS JOIN aclexplode(nspacl) AS granted
JOIN pg_roles ON pg_roles.oid = granted.grantee
CROSS JOIN unnest(ARRAY['ALL TABLES IN SCHEMA', 'ALL FUNCTIONS IN SCHEMA', 'SCHEMA']) AS what
WHERE nspname = $1 AND granted.grantee <> nspowner AND rolname LIKE $2::text AND rolname <> $3::text
ORDER BY what;
