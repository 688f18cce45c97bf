-- Deletes at most $2 ids that are older than $1, except those of the topics in $3.
DELETE FROM inbox
WHERE id IN (
    SELECT id FROM inbox WHERE acted_at < now() - $1::interval AND topic <> ALL($3::text[]) LIMIT $2::integer
);
