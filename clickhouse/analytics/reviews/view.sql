CREATE OR REPLACE VIEW {view}
(
    seller_id Nullable(String) COMMENT 'The seller that it is about; NULL if it is about none.',
    submitted_at DateTime64(3, 'UTC') COMMENT 'When it was written, UTC; when its newest version was, if it was written anew.',
    review_id String COMMENT 'The review.',
    order_id String COMMENT 'The order.',
    line_number Nullable(Int32) COMMENT 'The line of the order that it is about; NULL if it is about no single one.',
    shopper_id String COMMENT 'Who wrote it.',
    product_id Nullable(String) COMMENT 'The product that it is about; NULL if it is about none.',
    score Int32 COMMENT '1 (worst) to 5 (best).',
    status LowCardinality(String) COMMENT 'submitted, published, rejected or withdrawn. Only published reviews count in figures.',
    published_at Nullable(DateTime64(3, 'UTC')) COMMENT 'When this version was published, UTC.',
    rejected_at Nullable(DateTime64(3, 'UTC')) COMMENT 'When this version was rejected, UTC.',
    withdrawn_at Nullable(DateTime64(3, 'UTC')) COMMENT 'When it was taken back, UTC.',
    rejection_reason LowCardinality(Nullable(String)) COMMENT 'Why it was rejected; NULL if unknown.',
    title Nullable(String) COMMENT 'Title; NULL unless published, and for texts that only the shop keeps.',
    comment Nullable(String) COMMENT 'Text; NULL as the title is.',
    answered_at Nullable(DateTime64(3, 'UTC')) COMMENT 'When the seller replied, UTC; NULL if there is no reply.',
    reply Nullable(String) COMMENT 'What the seller replied; NULL unless published.'
)
AS
SELECT
    review.seller_id AS seller_id,
    review.occurred_at AS submitted_at,
    review.review_id AS review_id,
    review.order_id AS order_id,
    review.line_number AS line_number,
    review.shopper_id AS shopper_id,
    review.product_id AS product_id,
    review.score AS score,
    ifNull(nullIf(decision.last_status, ''), 'submitted') AS status,
    decision.published_at AS published_at,
    decision.rejected_at AS rejected_at,
    decision.withdrawn_at AS withdrawn_at,
    nullIf(decision.reason, 'unknown') AS rejection_reason,
    if(status = 'published', review.title, NULL) AS title,
    if(status = 'published', review.comment, NULL) AS comment,
    answer.answered_at AS answered_at,
    if(status = 'published', answer.newest.2, NULL) AS reply
FROM {facts}.review_submitted AS review FINAL
LEFT JOIN
(
    SELECT
        order_id,
        review_id,
        version,
        argMax(what, (at, rank)) AS last_status,
        maxIf(toNullable(at), what = 'published') AS published_at,
        maxIf(toNullable(at), what = 'rejected') AS rejected_at,
        maxIf(toNullable(at), what = 'withdrawn') AS withdrawn_at,
        argMaxIf(toNullable(why), at, what = 'rejected') AS reason
    FROM
    (
        SELECT order_id, review_id, submitted_at AS version, 'published' AS what, 1 AS rank, occurred_at AS at, '' AS why FROM {facts}.review_published
        UNION ALL
        SELECT order_id, review_id, submitted_at, 'rejected', 2, occurred_at, reason FROM {facts}.review_rejected
        UNION ALL
        SELECT order_id, review_id, submitted_at, 'withdrawn', 3, occurred_at, '' FROM {facts}.review_withdrawn
    )
    WHERE version IS NOT NULL
    GROUP BY order_id, review_id, version
) AS decision ON decision.order_id = review.order_id AND decision.review_id = review.review_id AND decision.version = review.occurred_at
LEFT JOIN
(
    SELECT
        order_id,
        review_id,
        argMax((occurred_at, text), occurred_at) AS newest,
        if(newest.2 IS NULL, NULL, newest.1) AS answered_at
    FROM {facts}.review_answered
    GROUP BY order_id, review_id
) AS answer ON answer.order_id = review.order_id AND answer.review_id = review.review_id
WHERE (review.order_id, review.review_id, review.occurred_at) IN
(
    SELECT order_id, review_id, max(occurred_at) FROM {facts}.review_submitted GROUP BY order_id, review_id
)
COMMENT 'The reviews, each in its newest version. Text and reply are shown while everybody may read the review.'
