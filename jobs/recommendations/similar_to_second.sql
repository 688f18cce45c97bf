-- What goes with each product: the second of each pair has the first.
SELECT other_id AS product_id, product_id AS other_id, score FROM pairs
