-- Every listing, change and delisting of an offer, from the facts.
SELECT seller_id, product_id, event_id, toUnixTimestamp64Milli(occurred_at) AS at_ms, 1 AS is_listed, currency, price_minor AS price
FROM product_listed FINAL
UNION ALL
SELECT seller_id, product_id, event_id, toUnixTimestamp64Milli(occurred_at), 1, currency, price_minor FROM product_changed FINAL
UNION ALL
SELECT seller_id, product_id, event_id, toUnixTimestamp64Milli(occurred_at), 0, '', 0 FROM product_delisted FINAL
