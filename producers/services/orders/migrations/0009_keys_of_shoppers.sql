-- A key belongs to the shopper who buys. Keys from before this column belong to the shoppers of their orders.
ALTER TABLE idempotency_keys ADD COLUMN shopper_id text NOT NULL DEFAULT '';

UPDATE idempotency_keys AS used SET shopper_id = orders.shopper_id
FROM orders WHERE orders.order_id = used.order_id;

ALTER TABLE idempotency_keys
    ALTER COLUMN shopper_id DROP DEFAULT,
    DROP CONSTRAINT idempotency_keys_pkey,
    ADD PRIMARY KEY (shopper_id, key);
