CREATE OR REPLACE VIEW {view}
(
    abandoned_at DateTime64(3, 'UTC') COMMENT 'When it was found untouched for hours, UTC.',
    cart_id String COMMENT 'The cart; it may be abandoned again after each change.',
    session_id String COMMENT 'The last visit in which it was changed.',
    shopper_id Nullable(String) COMMENT 'The shopper; NULL for a guest.',
    changed_at DateTime64(3, 'UTC') COMMENT 'When it was changed last, UTC.',
    product_ids Array(String) COMMENT 'Products in it, without those that are saved for later.',
    units Int32 COMMENT 'Units of all products.',
    currency LowCardinality(String) COMMENT 'ISO 4217 code of the amount.',
    amount Decimal(38, 4) COMMENT 'What they cost at the prices that the shopper saw last.'
)
AS
WITH {minor_units} AS minor_units
SELECT
    occurred_at AS abandoned_at, cart_id, session_id, shopper_id, changed_at, lines.product_id AS product_ids, units, currency,
    toDecimal128(amount_minor, 4) / minor_units AS amount
FROM {facts}.cart_abandoned FINAL
COMMENT 'The carts with products that nobody touched for hours, one row each time.'
