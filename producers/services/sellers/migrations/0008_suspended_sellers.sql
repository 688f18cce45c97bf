-- The gateway asks every second which sellers are suspended; few are.
CREATE INDEX suspended_sellers ON sellers (seller_id) WHERE status = 'suspended';
