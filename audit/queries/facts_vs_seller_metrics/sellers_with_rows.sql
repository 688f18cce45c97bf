-- Which sellers have rows in the first table of each source of the catalogue.
SELECT DISTINCT 'sales_lines' AS source, seller_id FROM sales_lines
UNION ALL
SELECT DISTINCT 'return_lines', seller_id FROM return_lines
UNION ALL
SELECT DISTINCT 'earning_lines', seller_id FROM earning_lines
UNION ALL
SELECT DISTINCT 'parcel_steps', seller_id FROM parcels
UNION ALL
SELECT DISTINCT 'review_scores', seller_id FROM review_scores
UNION ALL
SELECT DISTINCT 'product_interest', seller_id FROM product_views
UNION ALL
SELECT DISTINCT 'customer_orders', seller_id FROM customer_orders
UNION ALL
SELECT DISTINCT 'recommendations', seller_id FROM recommended_items
