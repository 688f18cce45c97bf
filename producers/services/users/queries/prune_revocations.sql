DELETE FROM revocations
WHERE position IN (SELECT position FROM revocations WHERE before < now() - $1::interval LIMIT $2::integer);
