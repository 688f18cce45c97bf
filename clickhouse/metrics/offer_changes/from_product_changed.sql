-- A change of a listing, also one that leaves its price.
SELECT seller_id, product_id, occurred_at AS at, event_id, 1 AS is_listed, currency, price_minor FROM product_changed
