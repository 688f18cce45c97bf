-- Which products on offer are sold out?
SELECT seller_id, product_id, name, price, currency
FROM analytics.products
WHERE is_on_offer AND units_available <= 0
ORDER BY name, product_id
LIMIT 20
