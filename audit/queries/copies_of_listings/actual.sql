-- The same in the sellers service.
SELECT product_id, seller_id, listed, (extract(epoch FROM changed_at) * 1000)::bigint AS changed_ms
FROM sellers.listings;
