-- What a product is, for pages and recommendations.
SELECT product_id, seller_id, name, category, currency, price_minor, listed FROM listings
