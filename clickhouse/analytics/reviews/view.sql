CREATE OR REPLACE VIEW {view}
(
    seller_id Nullable(String) COMMENT 'The seller that it is about; NULL if it is about none.',
    submitted_at DateTime64(3, 'UTC') COMMENT 'When it was written, UTC.',
    review_id String COMMENT 'The review.',
    order_id String COMMENT 'The order.',
    shopper_id String COMMENT 'Who wrote it.',
    product_id Nullable(String) COMMENT 'The product that it is about; NULL if it is about none.',
    score Int32 COMMENT '1 (worst) to 5 (best).',
    status LowCardinality(String) COMMENT 'submitted, published or rejected.',
    published_at Nullable(DateTime64(3, 'UTC')) COMMENT 'When it was published, UTC.',
    rejected_at Nullable(DateTime64(3, 'UTC')) COMMENT 'When it was rejected, UTC.',
    rejection_reason LowCardinality(Nullable(String)) COMMENT 'Why it was rejected; NULL if unknown.',
    title Nullable(String) COMMENT 'Title; NULL unless published.',
    comment Nullable(String) COMMENT 'Text; NULL unless published.'
)
AS
SELECT
    review.seller_id AS seller_id,
    review.occurred_at AS submitted_at,
    review.review_id AS review_id,
    review.order_id AS order_id,
    review.shopper_id AS shopper_id,
    review.product_id AS product_id,
    review.score AS score,
    multiIf(rejection.rejected_at IS NOT NULL, 'rejected', publication.published_at IS NOT NULL, 'published', 'submitted') AS status,
    publication.published_at AS published_at,
    rejection.rejected_at AS rejected_at,
    nullIf(rejection.reason, 'unknown') AS rejection_reason,
    if(status = 'published', review.title, NULL) AS title,
    if(status = 'published', review.comment, NULL) AS comment
FROM {facts}.review_submitted AS review FINAL
LEFT JOIN
(
    SELECT review_id, toNullable(max(occurred_at)) AS published_at FROM {facts}.review_published FINAL GROUP BY review_id
) AS publication ON publication.review_id = review.review_id
LEFT JOIN
(
    SELECT review_id, toNullable(max(occurred_at)) AS rejected_at, toNullable(toString(any(reason))) AS reason
    FROM {facts}.review_rejected FINAL
    GROUP BY review_id
) AS rejection ON rejection.review_id = review.review_id
COMMENT 'The reviews. The text of a review is shown once it is published.'
