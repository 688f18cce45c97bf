-- Tables that are written several times a second are merged all the time, and unpacked for every answer. LZ4 takes half of
-- ZSTD's CPU for that (a merge of 23,000 rows of product_sales_minute 18 ms for 35) and half as much disk again, so small
-- parts have it and large ones ZSTD: the engine's default by size (clickhouse/front/config.py). Parts written before keep
-- theirs until they are merged.

ALTER TABLE order_placed
    MODIFY COLUMN event_id CODEC(Default),
    MODIFY COLUMN occurred_at CODEC(Delta, Default),
    MODIFY COLUMN order_id CODEC(Default),
    MODIFY COLUMN shopper_id CODEC(Default),
    MODIFY COLUMN lines CODEC(Default),
    MODIFY COLUMN estimated_delivery_at CODEC(Delta, Default),
    MODIFY COLUMN ingested_at CODEC(Delta, Default);

ALTER TABLE order_lines
    MODIFY COLUMN seller_id CODEC(Default),
    MODIFY COLUMN placed_at CODEC(Delta, Default),
    MODIFY COLUMN order_id CODEC(Default),
    MODIFY COLUMN line_number CODEC(Default),
    MODIFY COLUMN shopper_id CODEC(Default),
    MODIFY COLUMN product_id CODEC(Default),
    MODIFY COLUMN quantity CODEC(Default),
    MODIFY COLUMN unit_price_minor CODEC(Default),
    MODIFY COLUMN gross_minor CODEC(Default),
    MODIFY COLUMN discount_minor CODEC(Default),
    MODIFY COLUMN shipping_minor CODEC(Default),
    MODIFY COLUMN tax_minor CODEC(Default),
    MODIFY COLUMN commission_bp CODEC(Default);

ALTER TABLE order_state
    MODIFY COLUMN order_id CODEC(Default),
    MODIFY COLUMN shopper_id CODEC(Default),
    MODIFY COLUMN placed_at CODEC(Delta, Default),
    MODIFY COLUMN confirmed_at CODEC(Delta, Default),
    MODIFY COLUMN shipped_at CODEC(Delta, Default),
    MODIFY COLUMN delivered_at CODEC(Delta, Default),
    MODIFY COLUMN cancelled_at CODEC(Delta, Default);

ALTER TABLE product_sales_minute
    MODIFY COLUMN seller_id CODEC(Default),
    MODIFY COLUMN product_id CODEC(Default),
    MODIFY COLUMN minute CODEC(Delta, Default),
    MODIFY COLUMN orders CODEC(Default),
    MODIFY COLUMN lines CODEC(Default),
    MODIFY COLUMN units CODEC(Default),
    MODIFY COLUMN gross_minor CODEC(Default),
    MODIFY COLUMN discount_minor CODEC(Default),
    MODIFY COLUMN shipping_minor CODEC(Default),
    MODIFY COLUMN version CODEC(Delta, Default);

ALTER TABLE seller_sales_minute
    MODIFY COLUMN seller_id CODEC(Default),
    MODIFY COLUMN minute CODEC(Delta, Default),
    MODIFY COLUMN orders CODEC(Default),
    MODIFY COLUMN lines CODEC(Default),
    MODIFY COLUMN units CODEC(Default),
    MODIFY COLUMN gross_minor CODEC(Default),
    MODIFY COLUMN discount_minor CODEC(Default),
    MODIFY COLUMN shipping_minor CODEC(Default),
    MODIFY COLUMN version CODEC(Delta, Default);

ALTER TABLE seller_cancellations_minute
    MODIFY COLUMN seller_id CODEC(Default),
    MODIFY COLUMN minute CODEC(Delta, Default),
    MODIFY COLUMN orders CODEC(Default),
    MODIFY COLUMN units CODEC(Default),
    MODIFY COLUMN gross_minor CODEC(Default),
    MODIFY COLUMN shipping_minor CODEC(Default),
    MODIFY COLUMN version CODEC(Delta, Default);

ALTER TABLE marketplace_sales_minute
    MODIFY COLUMN minute CODEC(Delta, Default),
    MODIFY COLUMN orders CODEC(Default),
    MODIFY COLUMN lines CODEC(Default),
    MODIFY COLUMN units CODEC(Default),
    MODIFY COLUMN gross_minor CODEC(Default),
    MODIFY COLUMN discount_minor CODEC(Default),
    MODIFY COLUMN shipping_minor CODEC(Default),
    MODIFY COLUMN version CODEC(Delta, Default);

ALTER TABLE marketplace_cancellations_minute
    MODIFY COLUMN minute CODEC(Delta, Default),
    MODIFY COLUMN orders CODEC(Default),
    MODIFY COLUMN units CODEC(Default),
    MODIFY COLUMN gross_minor CODEC(Default),
    MODIFY COLUMN shipping_minor CODEC(Default),
    MODIFY COLUMN version CODEC(Delta, Default);

ALTER TABLE payments_minute
    MODIFY COLUMN minute CODEC(Delta, Default),
    MODIFY COLUMN payments CODEC(Default),
    MODIFY COLUMN amount_minor CODEC(Default),
    MODIFY COLUMN version CODEC(Delta, Default);
