-- When a product was last listed in a category.
SELECT category, product_id, unix_s(occurred_at) AS listed_s
FROM events.product_listed
WHERE category IS NOT NULL
