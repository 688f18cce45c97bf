SELECT
    application_id, seller_id, applicant_id, applications.status, sellers.status AS seller_status, submitted_at,
    decided_at, reason, name, legal_name, tax_id, contact_email, country, currency, description, phone, zip_prefix,
    city, state
FROM applications
JOIN sellers USING (seller_id)
WHERE application_id = $1::uuid;
