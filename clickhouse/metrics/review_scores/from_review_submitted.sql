-- A review that is about a seller.
SELECT
    assumeNotNull(seller_id) AS seller_id,
    toDateTime(toStartOfMinute(occurred_at), 'UTC') AS minute,
    order_id,
    review_id,
    ifNull(product_id, '') AS product_id,
    1 AS reviews,
    score
FROM review_submitted
WHERE review_submitted.seller_id IS NOT NULL
