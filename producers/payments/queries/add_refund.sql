INSERT INTO refunds (refund_id, order_id, amount_minor, reason, return_id, try_at, causation_id, trace_id)
VALUES ($1::uuid, $2::uuid, $3::bigint, $4::text, $5::text, $6::timestamptz, $7::text, $8::text);
