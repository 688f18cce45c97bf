-- The sellers that a person follows, the newest first.
SELECT seller_id, followed_at FROM followed_sellers WHERE user_id = $1::uuid ORDER BY followed_at DESC, seller_id;
