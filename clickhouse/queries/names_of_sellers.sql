-- The names of the sellers with these ids; null for a seller without a name.
SELECT seller_id, name
FROM seller_profiles
WHERE seller_id IN {seller_ids:Array(String)}
