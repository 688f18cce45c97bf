-- Adds a refund, with the lines of the return that it pays for.
WITH added AS (
    INSERT INTO refunds
        (refund_id, order_id, amount_minor, reason, return_id, try_at, causation_id, trace_id, seller_id, placed_at)
    VALUES ($1::uuid, $2::uuid, $3::bigint, $4::text, $5::text, $6::timestamptz, $7::text, $8::text, $9::text,
        $10::timestamptz)
    RETURNING refund_id
)
INSERT INTO refunded_lines (refund_id, line_number, product_id, quantity, refund_minor, position)
SELECT refund_id, returned.*
FROM added, unnest($11::integer[], $12::text[], $13::integer[], $14::bigint[]) WITH ORDINALITY AS returned;
