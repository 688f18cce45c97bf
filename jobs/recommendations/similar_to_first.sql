-- What goes with each product: the first of each pair has the second.
SELECT product_id, other_id, score FROM pairs
