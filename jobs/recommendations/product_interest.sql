-- The interest in each product, and the number of visits that it is of.
SELECT product_id, interest, visits FROM interest
