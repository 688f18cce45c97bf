-- A delisting.
SELECT seller_id, product_id, occurred_at AS at, event_id, 0 AS is_listed, '' AS currency, 0 AS price_minor FROM product_delisted
