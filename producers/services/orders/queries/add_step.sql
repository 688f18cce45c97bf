-- Records each step of a seller's parcel or return once, even if two events report it. The caller has locked the order.
INSERT INTO order_steps (order_id, step, occurred_at, about, seller_id, carrier, tracking_code)
SELECT $1::uuid, $2::text, $3::timestamptz, $4::text, $5::text, $6::text, $7::text
WHERE $4::text = '' OR NOT EXISTS (
    SELECT FROM order_steps WHERE order_id = $1::uuid AND step = $2::text AND about = $4::text
        AND seller_id IS NOT DISTINCT FROM $5::text
)
ON CONFLICT DO NOTHING;
