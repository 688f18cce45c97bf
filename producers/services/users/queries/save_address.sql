INSERT INTO addresses (user_id, address_id, recipient, street, city, state, postal_code, country, saved_at)
VALUES ($1::uuid, $2::text, $3::text, $4::text, $5::text, $6::text, $7::text, $8::text, $9::timestamptz)
ON CONFLICT (user_id, address_id) DO UPDATE
SET recipient = excluded.recipient, street = excluded.street, city = excluded.city, state = excluded.state,
    postal_code = excluded.postal_code, country = excluded.country, saved_at = excluded.saved_at;
