-- Saves a payment, and the amounts due for its lines if they are new.
WITH due AS (
    INSERT INTO due_lines (order_id, line_number, quantity, amount_minor, product_id, seller_id)
    SELECT $1::uuid, line.*
    FROM unnest($12::integer[], $13::integer[], $14::bigint[], $15::text[], $16::text[]) AS line
    ON CONFLICT (order_id, line_number) DO NOTHING
)
UPDATE payments
SET shopper_id = $2::text, currency = $3::text, amount_minor = $4::bigint, reserved = $5::boolean,
    cancelled = $6::boolean, state = $7::text, try_at = $8::timestamptz, failure = coalesce($9::text, failure),
    causation_id = coalesce($10::text, causation_id), trace_id = $11::text
WHERE order_id = $1::uuid;
