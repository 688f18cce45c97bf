-- Sets when the next mail of a person is due, if the lease of the caller is the newest.
UPDATE recommendation_mails
SET send_at = $3::timestamptz, mailed_at = CASE WHEN $4::boolean THEN $5::timestamptz ELSE mailed_at END
WHERE user_id = $1::uuid AND send_at = $2::timestamptz
RETURNING true;
