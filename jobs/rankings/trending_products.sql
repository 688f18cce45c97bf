-- The recent popularity of each product, with a half-life of 7 days.
SELECT product_id, trending AS score FROM popularity
