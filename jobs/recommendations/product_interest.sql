-- The interest in each product.
SELECT product_id, interest FROM interest
