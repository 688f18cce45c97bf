-- It was taken back or replaced. An event from before `submitted_at` names no version.
SELECT
    assumeNotNull(seller_id) AS seller_id,
    toDateTime(toStartOfMinute(assumeNotNull(submitted_at)), 'UTC') AS minute,
    order_id,
    review_id,
    assumeNotNull(submitted_at) AS submitted_at,
    ifNull(product_id, '') AS product_id,
    score,
    'withdrawn' AS status,
    toUInt64(4 * toUnixTimestamp64Milli(occurred_at) + 3) AS change
FROM review_withdrawn
WHERE review_withdrawn.seller_id IS NOT NULL AND review_withdrawn.submitted_at IS NOT NULL
