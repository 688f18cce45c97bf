-- Records that a person follows a seller no more.
DELETE FROM followed_sellers WHERE user_id = $1::uuid AND seller_id = $2::text;
