UPDATE throttles
SET failures = new.failures, blocked_until = new.blocked_until, last_attempt_at = new.last_attempt_at
FROM unnest($1::bytea[], $2::integer[], $3::timestamptz[], $4::timestamptz[])
    AS new (subject, failures, blocked_until, last_attempt_at)
WHERE throttles.subject = new.subject;
