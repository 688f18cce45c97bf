-- It may not be read. An event from before `submitted_at` names no version.
SELECT
    assumeNotNull(seller_id) AS seller_id,
    toDateTime(toStartOfMinute(assumeNotNull(submitted_at)), 'UTC') AS minute,
    order_id,
    review_id,
    assumeNotNull(submitted_at) AS submitted_at,
    ifNull(product_id, '') AS product_id,
    ifNull(score, 0) AS score,
    'rejected' AS status,
    toUInt64(4 * toUnixTimestamp64Milli(occurred_at) + 2) AS change
FROM review_rejected
WHERE review_rejected.seller_id IS NOT NULL AND review_rejected.submitted_at IS NOT NULL
