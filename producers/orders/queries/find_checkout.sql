-- Returns in one round trip the response that is stored for a key, and the offers of the products of a checkout. Each
-- offer has the commissions of lines that sell one of the quantities $3 at the time $4.
-- Returns at least one row. Each row has the columns of the key.
SELECT
    used.order_id, used.request_sha256, used.answer,
    offers.product_id, offers.seller_id, offers.currency, offers.price_minor, offers.listed, offers.category,
    sellers.commissions_bp(
        offers.seller_id, offers.category, offers.currency, offers.price_minor, $3::integer[], $4::timestamptz
    ) AS commissions_bp
FROM (SELECT $1::text AS key) AS request
LEFT JOIN idempotency_keys AS used ON used.key = request.key
LEFT JOIN offers ON offers.product_id = ANY ($2::text[]) AND offers.listed;
