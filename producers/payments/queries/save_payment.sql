-- Saves a payment, and the amounts due for its lines if they are new. Deletes the token when it is no longer needed.
WITH due AS (
    INSERT INTO due_lines (order_id, line_number, quantity, amount_minor, product_id, seller_id)
    SELECT $1::uuid, line.*
    FROM unnest($15::integer[], $16::integer[], $17::bigint[], $18::text[], $19::text[]) AS line
    ON CONFLICT (order_id, line_number) DO NOTHING
)
UPDATE payments
SET shopper_id = $2::text, method = $3::text,
    token = CASE WHEN $10::text IN ('waiting', 'due', 'voiding') THEN $4::text END,
    installments = $5::integer, currency = $6::text, amount_minor = $7::bigint, reserved = $8::boolean,
    cancelled = $9::boolean, state = $10::text, try_at = $11::timestamptz, failure = coalesce($12::text, failure),
    causation_id = coalesce($13::text, causation_id), trace_id = $14::text
WHERE order_id = $1::uuid;
