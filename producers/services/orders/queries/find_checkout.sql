-- Returns in one round trip the response that is stored for a key of one of the shopper ids $5, and the offers of the
-- products of a checkout. Each offer has the commissions of lines that sell one of the quantities $3 at the time $4.
-- Returns at least one row. Each row has the columns of the key.
SELECT
    used.order_id, used.request_sha256, used.answer, used.shopper_id AS key_owner,
    offers.product_id, offers.seller_id, offers.currency, offers.price_minor, offers.listed, offers.category,
    commissions_bp(
        offers.seller_id, offers.category, offers.currency, offers.price_minor, $3::integer[], $4::timestamptz
    ) AS commissions_bp
FROM (SELECT $1::text AS key, $5::text[] AS owners) AS request
LEFT JOIN LATERAL (
    SELECT * FROM idempotency_keys AS one
    WHERE one.key = request.key AND one.shopper_id = ANY (request.owners)
    ORDER BY array_position(request.owners, one.shopper_id) LIMIT 1
) AS used ON true
LEFT JOIN offers ON offers.product_id = ANY ($2::text[]) AND offers.listed;
