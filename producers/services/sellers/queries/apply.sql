-- Opens an application and its seller. Does nothing and returns no row if the person has an open application.
WITH opened AS (
    INSERT INTO applications (application_id, seller_id, applicant_id, status, submitted_at)
    VALUES ($1::uuid, $2::text, $3::uuid, 'applied', $4::timestamptz)
    ON CONFLICT (applicant_id) WHERE status = 'applied' DO NOTHING
    RETURNING seller_id
), seller AS (
    INSERT INTO sellers
        (seller_id, status, source, name, description, legal_name, tax_id, contact_email, phone, zip_prefix, city,
         state, country, currency, created_at)
    SELECT opened.seller_id, 'applied', 'application', profile.*, $4::timestamptz
    FROM opened, jsonb_to_record($5::jsonb) AS profile (
        name text, description text, legal_name text, tax_id text, contact_email text, phone text, zip_prefix text,
        city text, state text, country text, currency text
    )
), step AS (
    INSERT INTO seller_steps (seller_id, occurred_at, status, changed_by)
    SELECT seller_id, $4::timestamptz, 'applied', $3::uuid::text FROM opened
)
SELECT seller_id FROM opened;
