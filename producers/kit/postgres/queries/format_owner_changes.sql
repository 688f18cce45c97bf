-- Returns statements that make a role ($2) the owner of everything in a schema ($1) that it does not own yet: objects
-- that a migration has just created, and the tables of older copies, in which one superuser owned all schemas. Indexes,
-- and sequences of a column, get the owner of their table.
SELECT format(
    'ALTER %s %I.%I OWNER TO %I',
    CASE relkind
        WHEN 'v' THEN 'VIEW' WHEN 'm' THEN 'MATERIALIZED VIEW' WHEN 'S' THEN 'SEQUENCE' WHEN 'f' THEN 'FOREIGN TABLE'
        WHEN 'c' THEN 'TYPE' ELSE 'TABLE'
    END,
    $1::text, relname, $2::text
)
FROM pg_class
WHERE relnamespace = to_regnamespace(quote_ident($1)) AND relowner <> to_regrole(quote_ident($2))
    AND relkind IN ('r', 'p', 'v', 'm', 'S', 'f', 'c')
    AND NOT EXISTS (
        SELECT FROM pg_depend
        WHERE classid = 'pg_class'::regclass AND objid = pg_class.oid AND refclassid = 'pg_class'::regclass
            AND relkind = 'S' AND deptype IN ('a', 'i')
    )
UNION ALL
SELECT format('ALTER ROUTINE %s OWNER TO %I', oid::regprocedure, $2::text)
FROM pg_proc
WHERE pronamespace = to_regnamespace(quote_ident($1)) AND proowner <> to_regrole(quote_ident($2))
UNION ALL
SELECT format('ALTER TYPE %I.%I OWNER TO %I', $1::text, typname, $2::text)
FROM pg_type
WHERE typnamespace = to_regnamespace(quote_ident($1)) AND typowner <> to_regrole(quote_ident($2))
    AND typtype IN ('e', 'd', 'r');
