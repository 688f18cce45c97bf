-- Sets the fields that the JSON object $2 has.
UPDATE sellers
SET (name, description, contact_email, phone, zip_prefix, city, state, country, profile_changed_at) = (
    SELECT changed.name, changed.description, changed.contact_email, changed.phone, changed.zip_prefix, changed.city,
        changed.state, changed.country, $3::timestamptz
    FROM jsonb_populate_record(sellers, $2::jsonb) AS changed
)
WHERE seller_id = $1::text;
