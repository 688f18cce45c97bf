-- Everybody may read it. An event from before `submitted_at` names no version.
SELECT
    assumeNotNull(seller_id) AS seller_id,
    toDateTime(toStartOfMinute(assumeNotNull(submitted_at)), 'UTC') AS minute,
    order_id,
    review_id,
    assumeNotNull(submitted_at) AS submitted_at,
    ifNull(product_id, '') AS product_id,
    score,
    'published' AS status,
    toUInt64(4 * toUnixTimestamp64Milli(occurred_at) + 1) AS change
FROM review_published
WHERE review_published.seller_id IS NOT NULL AND review_published.submitted_at IS NOT NULL
