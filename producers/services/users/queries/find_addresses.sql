SELECT address_id, recipient, street, city, state, postal_code, country FROM addresses
WHERE user_id = $1::uuid
ORDER BY address_id;
