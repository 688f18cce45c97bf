UPDATE payments
SET shopper_id = $2::text, currency = $3::text, amount_minor = $4::bigint, reserved = $5::boolean,
    cancelled = $6::boolean, state = $7::text, try_at = $8::timestamptz, failure = coalesce($9::text, failure),
    causation_id = coalesce($10::text, causation_id), trace_id = $11::text
WHERE order_id = $1::uuid;
