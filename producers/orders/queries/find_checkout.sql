-- What a checkout needs, in one round trip: the response stored for its key, and the offers of its products.
-- At least one row; each has the key's columns.
SELECT
    used.order_id, used.request_sha256, used.answer,
    offers.product_id, offers.seller_id, offers.currency, offers.price_minor, offers.listed
FROM (SELECT $1::text AS key) AS request
LEFT JOIN idempotency_keys AS used ON used.key = request.key
LEFT JOIN offers ON offers.product_id = ANY($2::text[]);
