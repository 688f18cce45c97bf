-- The popularity of each product, with a half-life of 30 days.
SELECT product_id, popular AS score FROM popularity
