-- A version of a review that is about a seller.
SELECT
    assumeNotNull(seller_id) AS seller_id,
    toDateTime(toStartOfMinute(occurred_at), 'UTC') AS minute,
    order_id,
    review_id,
    occurred_at AS submitted_at,
    ifNull(product_id, '') AS product_id,
    score,
    'submitted' AS status,
    toUInt64(4 * toUnixTimestamp64Milli(occurred_at)) AS change
FROM review_submitted
WHERE review_submitted.seller_id IS NOT NULL
