-- The listings that inventory has read of.
SELECT product_id, seller_id, listed, (extract(epoch FROM changed_at) * 1000)::bigint AS changed_ms
FROM inventory.listings;
