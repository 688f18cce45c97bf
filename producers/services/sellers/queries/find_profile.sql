SELECT
    seller_id, status, source, name, description, legal_name, tax_id, contact_email, phone, zip_prefix, city, state,
    country, currency, created_at, registered_at,
    CASE WHEN status = 'suspended' THEN (
        SELECT reason
        FROM seller_steps AS steps
        WHERE steps.seller_id = sellers.seller_id AND steps.status = 'suspended'
        ORDER BY occurred_at DESC
        LIMIT 1
    ) END AS suspension_reason
FROM sellers
WHERE seller_id = $1::text;
