-- When a product was last listed in a category.
SELECT category, product_id, TIMESTAMPDIFF(SECOND, TO_TIMESTAMP_LTZ(0, 0), occurred_at) AS listed_s
FROM events.product_listed
WHERE category IS NOT NULL
