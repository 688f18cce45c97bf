-- How much each product is wanted.
SELECT product_id, interest FROM interest
