-- Name, location and time of registration of a seller; no row if the seller never registered.
SELECT seller_id, name, city, state, country, registered_at
FROM seller_profiles
WHERE seller_id = {seller_id:String}
