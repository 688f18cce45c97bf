-- Returns applications, oldest first: of one person if $1 is given, of one status if $2 is given, after $3.
SELECT
    application_id, seller_id, applicant_id, applications.status, sellers.status AS seller_status, submitted_at,
    decided_at, reason, name, legal_name, tax_id, contact_email, country, currency, description, phone, zip_prefix,
    city, state
FROM applications
JOIN sellers USING (seller_id)
WHERE ($1::uuid IS NULL OR applicant_id = $1::uuid)
    AND ($2::text IS NULL OR applications.status = $2::text)
    AND ($3::uuid IS NULL OR application_id > $3::uuid)
ORDER BY application_id
LIMIT $4::integer;
