-- The service carts says why a cart changed if its shopper has not changed it, and which carts were left. Rows from before have NULL.

ALTER TABLE cart_changed
    ADD COLUMN IF NOT EXISTS reason LowCardinality(Nullable(String)) COMMENT 'Why, if the shopper has not changed it: its units were ordered, carts were merged at a sign-in, the order came to nothing, the account was erased.' AFTER recommendation_id;

CREATE TABLE IF NOT EXISTS cart_abandoned
(
    event_id String CODEC(ZSTD(1)) COMMENT 'UUIDv7; the same fact sent twice has the same id.',
    occurred_at DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)) COMMENT 'When it happened, UTC.',
    cart_id String CODEC(ZSTD(1)) COMMENT 'The cart.',
    session_id String CODEC(ZSTD(1)) COMMENT 'The last visit in which it was changed.',
    shopper_id Nullable(String) CODEC(ZSTD(1)) COMMENT 'The shopper; null for a guest.',
    changed_at DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)) COMMENT 'When it was touched last, UTC.',
    currency LowCardinality(String) COMMENT 'ISO 4217 code of every amount in this event.',
    units Int32 CODEC(ZSTD(1)) COMMENT 'Units of all lines.',
    amount_minor Int64 CODEC(ZSTD(1)) COMMENT 'Sum of the lines at the prices of this event.',
    lines Array(Tuple(product_id String, seller_id String, quantity Int32, unit_price_minor Int64)) CODEC(ZSTD(1)) COMMENT 'What is in the cart, without what is saved for later.',
    ingested_at DateTime64(3, 'UTC') DEFAULT now64(3) CODEC(Delta, ZSTD(1)) COMMENT 'When ClickHouse took the row; of two copies of an event the later stays.'
)
ENGINE = ReplacingMergeTree(ingested_at)
PARTITION BY toYear(occurred_at)
ORDER BY (cart_id, occurred_at, event_id)
SETTINGS index_granularity = 1024
COMMENT 'A cart with products has not been touched for hours; said once after each change.';
