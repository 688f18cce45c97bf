-- Published reviews by the product that they are about, else by the seller, without duplicates. A low score counts apart, too.
SELECT seller_id, subject_kind, subject_id, low, occurred_at
FROM (
  SELECT
    seller_id, subject_kind, subject_id, low, occurred_at,
    ROW_NUMBER() OVER (PARTITION BY review_id, low ORDER BY arrived_at) AS copy
  FROM (
    SELECT
      review_id,
      COALESCE(seller_id, '') AS seller_id,
      CASE WHEN product_id IS NULL THEN 'seller' ELSE 'product' END AS subject_kind,
      COALESCE(product_id, seller_id) AS subject_id,
      low, occurred_at, PROCTIME() AS arrived_at
    FROM (
      SELECT review_id, seller_id, product_id, FALSE AS low, occurred_at FROM events.review_published
      UNION ALL
      SELECT review_id, seller_id, product_id, TRUE, occurred_at FROM events.review_published
      WHERE score <= {low_score:INT}
    )
    WHERE (product_id IS NOT NULL OR seller_id IS NOT NULL)
      AND CAST(occurred_at AS TIMESTAMP_LTZ(3)) >= TIMESTAMPADD(DAY, -{news_days:INT}, CURRENT_ROW_TIMESTAMP())
  )
)
WHERE copy = 1
