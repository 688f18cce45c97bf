-- Similar products: the first of each pair, stored at the second.
SELECT other_id AS product_id, product_id AS other_id, score FROM pairs
