-- A listing.
SELECT seller_id, product_id, occurred_at AS at, event_id, 1 AS is_listed, currency, price_minor FROM product_listed
