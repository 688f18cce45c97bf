-- Claims people whose mail with recommendations is due, until a lease ends.
UPDATE recommendation_mails
SET send_at = $1::timestamptz + $2::interval
WHERE user_id IN (
    SELECT recommendation_mails.user_id
    FROM recommendation_mails
    JOIN people USING (user_id)
    WHERE recommendation_mails.send_at <= $1 AND people.suspended_at IS NULL
    ORDER BY recommendation_mails.send_at
    LIMIT $3::integer
    FOR UPDATE OF recommendation_mails SKIP LOCKED
)
RETURNING user_id::text, send_at AS leased_until;
