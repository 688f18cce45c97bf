-- A seller's reviews of a period, the newest first. The text of a review is there once the review is published.
WITH written AS
(
    SELECT minute, order_id, review_id, product_id, score
    FROM review_scores
    WHERE seller_id = {seller_id:String}
        AND minute >= {period_start:DateTime('UTC')}
        AND minute < {period_end:DateTime('UTC')}
        AND score BETWEEN {lowest:Int32} AND {highest:Int32}
        AND (minute, order_id, review_id) < (
            {before_minute:DateTime('UTC')}, {before_order_id:String}, {before_review_id:String}
        )
    ORDER BY minute DESC, order_id DESC, review_id DESC
    LIMIT {limit:UInt32}
)
SELECT
    toUnixTimestamp(written.minute) AS minute_s,
    written.order_id AS order_id,
    written.review_id AS review_id,
    written.product_id AS product_id,
    written.score AS score,
    multiIf(rejected.review_id != '', 'rejected', published.review_id != '', 'published', 'submitted') AS status,
    if(status = 'published', text.last_title, NULL) AS title,
    if(status = 'published', text.last_comment, NULL) AS comment
FROM written
LEFT JOIN
(
    SELECT
        order_id,
        review_id,
        argMax(tuple(review.title), review.occurred_at).1 AS last_title,
        argMax(tuple(review.comment), review.occurred_at).1 AS last_comment
    FROM review_submitted AS review
    WHERE seller_id = {seller_id:String} AND review.order_id IN (SELECT order_id FROM written)
    GROUP BY order_id, review_id
) AS text ON text.order_id = written.order_id AND text.review_id = written.review_id
LEFT JOIN
(
    SELECT DISTINCT order_id, review_id FROM review_published WHERE order_id IN (SELECT order_id FROM written)
) AS published ON published.order_id = written.order_id AND published.review_id = written.review_id
LEFT JOIN
(
    SELECT DISTINCT order_id, review_id FROM review_rejected WHERE order_id IN (SELECT order_id FROM written)
) AS rejected ON rejected.order_id = written.order_id AND rejected.review_id = written.review_id
ORDER BY written.minute DESC, written.order_id DESC, written.review_id DESC
