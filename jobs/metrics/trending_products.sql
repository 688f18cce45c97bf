-- How popular each product is at the moment, with a half-life of 7 days.
SELECT product_id, trending AS score FROM popularity
