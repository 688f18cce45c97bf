-- Records that a person follows a seller, unless they do already.
INSERT INTO followed_sellers (user_id, seller_id, followed_at)
VALUES ($1::uuid, $2::text, $3::timestamptz)
ON CONFLICT (user_id, seller_id) DO NOTHING;
