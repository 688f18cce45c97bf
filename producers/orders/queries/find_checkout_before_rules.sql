-- Returns the same as `find_checkout`, with the commission $4 for every line. It reads only tables of orders.
SELECT
    used.order_id, used.request_sha256, used.answer, used.shopper_id AS key_owner,
    offers.product_id, offers.seller_id, offers.currency, offers.price_minor, offers.listed, offers.category,
    array_fill($4::integer, ARRAY[cardinality($3::integer[])]) AS commissions_bp
FROM (SELECT $1::text AS key, $5::text[] AS owners) AS request
LEFT JOIN LATERAL (
    SELECT * FROM idempotency_keys AS one
    WHERE one.key = request.key AND one.shopper_id = ANY (request.owners)
    ORDER BY array_position(request.owners, one.shopper_id) LIMIT 1
) AS used ON true
LEFT JOIN offers ON offers.product_id = ANY ($2::text[]) AND offers.listed;
