-- Every review; `counted` is in how many versions figures count it. One that another producer has sent has two ids: events have the producer's.
SELECT
    order_id,
    coalesce(source_id, review_id) AS review_id,
    CASE status WHEN 'pending' THEN 'submitted' ELSE status END AS status,
    (status = 'published')::integer AS counted,
    score,
    shopper_id,
    coalesce(seller_id, '') AS seller_id,
    coalesce(product_id, '') AS product_id,
    coalesce(line_number, 0) AS line_number,
    (extract(epoch FROM date_trunc('milliseconds', submitted_at)) * 1000)::bigint AS submitted_ms,
    coalesce(reason, '') AS reason,
    coalesce(reply, '') AS reply
FROM reviews.audited_reviews;
