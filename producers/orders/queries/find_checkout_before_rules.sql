-- Returns the same as `find_checkout`, with the commission $4 for every line. It reads only tables of orders.
SELECT
    used.order_id, used.request_sha256, used.answer,
    offers.product_id, offers.seller_id, offers.currency, offers.price_minor, offers.listed, offers.category,
    array_fill($4::integer, ARRAY[cardinality($3::integer[])]) AS commissions_bp
FROM (SELECT $1::text AS key) AS request
LEFT JOIN idempotency_keys AS used ON used.key = request.key
LEFT JOIN offers ON offers.product_id = ANY ($2::text[]) AND offers.listed;
