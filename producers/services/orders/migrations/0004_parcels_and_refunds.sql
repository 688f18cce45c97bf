-- Whose step it is: the seller of a parcel, and the parcel, return or refund that it tells of, each told of once.
ALTER TABLE order_steps ADD COLUMN seller_id text;
ALTER TABLE order_steps ADD COLUMN about text NOT NULL DEFAULT '';
ALTER TABLE order_steps DROP CONSTRAINT order_steps_pkey;
ALTER TABLE order_steps ADD PRIMARY KEY (order_id, step, about, occurred_at);

-- What came back of an order's money. Of refunds before this only that there was one is known: they count as whole.
ALTER TABLE orders ADD COLUMN refunded_minor bigint NOT NULL DEFAULT 0 CHECK (refunded_minor >= 0);
UPDATE orders SET refunded_minor = amount_minor WHERE payment_status = 'refunded';
