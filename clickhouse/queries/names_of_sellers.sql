-- The names of the sellers with these ids; null for a seller without a name.
SELECT seller_id, argMax(name, occurred_at) AS name
FROM seller_registered
WHERE seller_id IN {seller_ids:Array(String)}
GROUP BY seller_id
