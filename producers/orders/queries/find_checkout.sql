-- What a checkout needs to know, in one trip: the answer that its key had before, and the offers of its products.
-- At least one row; the key's columns stand in each.
SELECT
    used.order_id, used.request_sha256, used.answer,
    offers.product_id, offers.seller_id, offers.currency, offers.price_minor, offers.listed
FROM (SELECT $1::text AS key) AS asked
LEFT JOIN idempotency_keys AS used ON used.key = asked.key
LEFT JOIN offers ON offers.product_id = ANY($2::text[]);
