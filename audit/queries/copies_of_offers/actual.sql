-- The same in the carts service.
SELECT product_id, seller_id, listed, currency, price_minor, (extract(epoch FROM changed_at) * 1000)::bigint AS changed_ms
FROM carts.offers;
