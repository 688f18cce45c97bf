-- The newest submission of every review with what was decided about it last, and the newest reply. A submission with an impossible
-- score is a dead letter.
WITH decisions AS
(
    SELECT
        order_id,
        review_id,
        toUnixTimestamp64Milli(assumeNotNull(submitted_at)) AS submitted_ms,
        argMax(what, (occurred_at, what != 'published')) AS decided,
        argMax(why, (occurred_at, what != 'published')) AS decided_why
    FROM
    (
        SELECT order_id, review_id, submitted_at, occurred_at, 'published' AS what, '' AS why FROM review_published
        UNION ALL
        SELECT order_id, review_id, submitted_at, occurred_at, 'rejected', ifNull(toString(reason), '') FROM review_rejected
        UNION ALL
        SELECT order_id, review_id, submitted_at, occurred_at, 'withdrawn', '' FROM review_withdrawn
    )
    WHERE submitted_at IS NOT NULL
    GROUP BY order_id, review_id, submitted_ms
)
SELECT
    order_id,
    review_id,
    if(decision.decided = '', 'submitted', decision.decided) AS status,
    shown.versions AS counted,
    score,
    shopper_id,
    seller_id,
    product_id,
    line_number,
    submitted_ms,
    decision.decided_why AS reason,
    reply.last_text AS reply
FROM
(
    SELECT
        order_id,
        review_id,
        max(toUnixTimestamp64Milli(occurred_at)) AS submitted_ms,
        argMax(score, occurred_at) AS score,
        argMax(shopper_id, occurred_at) AS shopper_id,
        argMax(ifNull(seller_id, ''), occurred_at) AS seller_id,
        argMax(ifNull(product_id, ''), occurred_at) AS product_id,
        argMax(ifNull(line_number, 0), occurred_at) AS line_number
    FROM review_submitted AS submission
    WHERE submission.score BETWEEN 1 AND 5
    GROUP BY order_id, review_id
) AS review
LEFT JOIN decisions AS decision USING (order_id, review_id, submitted_ms)
LEFT JOIN
(
    SELECT order_id, review_id, toInt64(count()) AS versions FROM decisions WHERE decided = 'published' GROUP BY order_id, review_id
) AS shown USING (order_id, review_id)
LEFT JOIN
(
    SELECT order_id, review_id, ifNull(argMax(tuple(text), occurred_at).1, '') AS last_text
    FROM review_answered
    GROUP BY order_id, review_id
) AS reply USING (order_id, review_id)
