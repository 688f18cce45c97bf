-- Commits a checkout in one round trip: the key, the order, its lines, its payment details, its first step, its event.
-- Does nothing and returns false if another request of the shopper has used the key meanwhile.
WITH claimed AS (
    INSERT INTO idempotency_keys (shopper_id, key, request_sha256, order_id, answer)
    VALUES ($5::text, $1::text, $2::bytea, $3::uuid, $4::bytea)
    ON CONFLICT (shopper_id, key) DO NOTHING
    RETURNING order_id
), placed AS (
    INSERT INTO orders (order_id, shopper_id, session_id, currency, status, amount_minor, payment_method, placed_at)
    SELECT order_id, $5::text, $6::text, $7::text, 'placed', $8::bigint, $9::text, $10::timestamptz FROM claimed
), lines AS (
    INSERT INTO order_lines
        (order_id, line_number, product_id, seller_id, quantity, unit_price_minor, discount_minor, shipping_minor,
         tax_minor, commission_bp)
    SELECT order_id, bought.*
    FROM claimed, unnest($11::integer[], $12::text[], $13::text[], $14::integer[], $15::bigint[], $16::bigint[],
        $17::bigint[], $18::bigint[], $19::integer[]) AS bought
), payment AS (
    INSERT INTO how_to_pay (order_id, method, token, installments)
    SELECT order_id, $9::text, $24::text, $25::integer FROM claimed
), steps AS (
    INSERT INTO order_steps (order_id, step, occurred_at)
    SELECT order_id, 'placed', $10::timestamptz FROM claimed
), emitted AS (
    INSERT INTO outbox (topic, key, value, headers)
    SELECT $20::text, $21::bytea, $22::bytea, $23::jsonb FROM claimed
)
SELECT EXISTS (SELECT FROM claimed);
