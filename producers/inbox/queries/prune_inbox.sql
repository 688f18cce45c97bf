-- What was acted on before so long, but for the topics whose events must never be acted on again.
DELETE FROM inbox
WHERE id IN (
    SELECT id FROM inbox WHERE acted_at < now() - $1::interval AND topic <> ALL($3::text[]) LIMIT $2::integer
);
