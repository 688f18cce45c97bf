-- The password of an account: a person's, or that of the newest registration that waits for its verification.
SELECT
    person.user_id,
    coalesce(person.password_hash, registration.password_hash) AS password_hash,
    registration.token_sha256 AS registration_sha256
FROM (SELECT $1::text AS email) AS asked
LEFT JOIN people AS person ON person.email = asked.email
LEFT JOIN LATERAL (
    SELECT token_sha256, password_hash FROM registrations
    WHERE registrations.email = asked.email AND expires_at > $2::timestamptz AND person.user_id IS NULL
    ORDER BY registered_at DESC
    LIMIT 1
) AS registration ON true;
