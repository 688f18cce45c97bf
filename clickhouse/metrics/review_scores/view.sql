-- The score of each review of a seller that everybody may read.
SELECT seller_id, minute, order_id, review_id, product_id, toUInt8(1) AS reviews, score
FROM review_versions
WHERE status = 'published'
