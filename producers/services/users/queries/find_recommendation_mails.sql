-- Since when a person gets mails with recommendations, and when the last one was sent.
SELECT agreed_at, mailed_at FROM recommendation_mails WHERE user_id = $1::uuid;
