-- Records that a person agrees to mails with recommendations, unless they have agreed before.
INSERT INTO recommendation_mails (user_id, agreed_at, send_at)
SELECT user_id, $2::timestamptz, $2::timestamptz + $3::interval FROM people WHERE user_id = $1::uuid AND NOT is_demo
ON CONFLICT (user_id) DO NOTHING;
