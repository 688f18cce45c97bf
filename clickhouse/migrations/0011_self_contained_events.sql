-- An event about a sale, a cancellation or a refunded return has all that a consumer needs to book it: the order's lines and
-- times. Rows from before these columns have NULL and no lines.

ALTER TABLE order_confirmed
    ADD COLUMN IF NOT EXISTS placed_at Nullable(DateTime64(3, 'UTC')) CODEC(Delta, ZSTD(1)) COMMENT 'When the order was placed, UTC; null in events from before this field.' AFTER shopper_id,
    ADD COLUMN IF NOT EXISTS currency LowCardinality(Nullable(String)) COMMENT 'ISO 4217 code of every amount in this event; null in events from before this field.' AFTER placed_at,
    ADD COLUMN IF NOT EXISTS lines Array(Tuple(line_number Int32, product_id String, seller_id String, quantity Int32, unit_price_minor Int64, discount_minor Int64, shipping_minor Int64, tax_minor Int64, commission_bp Int32)) CODEC(ZSTD(1)) COMMENT 'The order\'s lines; empty where the source recorded none, and in events from before this field.' AFTER currency;

ALTER TABLE order_cancelled
    ADD COLUMN IF NOT EXISTS confirmed_at Nullable(DateTime64(3, 'UTC')) CODEC(Delta, ZSTD(1)) COMMENT 'When the order was confirmed, UTC; null if it never was, and in events from before this field.' AFTER lines;

ALTER TABLE payment_refunded
    ADD COLUMN IF NOT EXISTS seller_id Nullable(String) CODEC(ZSTD(1)) COMMENT 'To whom the goods came back; null unless it pays for a return, and in events from before this field.' AFTER return_id,
    ADD COLUMN IF NOT EXISTS placed_at Nullable(DateTime64(3, 'UTC')) CODEC(Delta, ZSTD(1)) COMMENT 'When the order was placed, UTC; null unless it pays for a return, and in events from before this field.' AFTER seller_id,
    ADD COLUMN IF NOT EXISTS lines Array(Tuple(line_number Int32, product_id String, quantity Int32, refund_minor Int64)) CODEC(ZSTD(1)) COMMENT 'What came back; empty unless it pays for a return, and in events from before this field.' AFTER placed_at;
