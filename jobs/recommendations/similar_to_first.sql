-- Similar products: the second of each pair, stored at the first.
SELECT product_id, other_id, score FROM pairs
