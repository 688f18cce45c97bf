-- The similar products of the first product of each pair.
SELECT product_id, other_id, score FROM pairs
