DELETE FROM sign_ins
WHERE sign_in_id IN (SELECT sign_in_id FROM sign_ins WHERE attempted_at < now() - $1::interval LIMIT $2::integer);
