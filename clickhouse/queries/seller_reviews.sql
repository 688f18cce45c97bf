-- A seller's reviews of a period, each in its newest version, the newest first. Text and reply are there if everybody may read the review.
WITH written AS
(
    SELECT minute, order_id, review_id, submitted_at, product_id, score, toString(status) AS status
    FROM review_versions
    WHERE seller_id = {seller_id:String}
        AND minute >= {period_start:DateTime('UTC')}
        AND minute < {period_end:DateTime('UTC')}
        AND (order_id, review_id, submitted_at) IN
        (
            SELECT order_id, review_id, max(submitted_at)
            FROM review_versions
            WHERE seller_id = {seller_id:String}
            GROUP BY order_id, review_id
        )
        AND status != 'withdrawn'
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
    written.status AS status,
    if(written.status = 'published', text.its_title, NULL) AS title,
    if(written.status = 'published', text.its_comment, NULL) AS comment,
    if(written.status = 'published', reply.newest, NULL) AS reply
FROM written
LEFT JOIN
(
    SELECT
        order_id,
        review_id,
        occurred_at AS submitted_at,
        any(tuple(review.title)).1 AS its_title,
        any(tuple(review.comment)).1 AS its_comment
    FROM review_submitted AS review
    WHERE seller_id = {seller_id:String} AND review.order_id IN (SELECT order_id FROM written)
    GROUP BY order_id, review_id, submitted_at
) AS text ON text.order_id = written.order_id AND text.review_id = written.review_id AND text.submitted_at = written.submitted_at
LEFT JOIN
(
    SELECT order_id, review_id, argMax(tuple(answer.text), answer.occurred_at).1 AS newest
    FROM review_answered AS answer
    WHERE seller_id = {seller_id:String} AND answer.order_id IN (SELECT order_id FROM written)
    GROUP BY order_id, review_id
) AS reply ON reply.order_id = written.order_id AND reply.review_id = written.review_id
ORDER BY written.minute DESC, written.order_id DESC, written.review_id DESC
