-- Returns in one round trip the response that is stored for a key, and the offers of the products of a checkout.
-- Returns at least one row. Each row has the columns of the key.
SELECT
    used.order_id, used.request_sha256, used.answer,
    offers.product_id, offers.seller_id, offers.currency, offers.price_minor, offers.listed
FROM (SELECT $1::text AS key) AS request
LEFT JOIN idempotency_keys AS used ON used.key = request.key
LEFT JOIN offers ON offers.product_id = ANY($2::text[]);
