-- The similar products of the second product of each pair.
SELECT other_id AS product_id, product_id AS other_id, score FROM pairs
