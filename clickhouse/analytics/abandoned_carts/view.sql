CREATE OR REPLACE VIEW {view}
(
    seller_id String COMMENT 'Who offers it.',
    abandoned_at DateTime64(3, 'UTC') COMMENT 'When the cart was found untouched for hours, UTC.',
    cart_id String COMMENT 'The cart; it may be abandoned again after each change.',
    session_id String COMMENT 'The last visit in which it was changed.',
    changed_at DateTime64(3, 'UTC') COMMENT 'When the cart was changed last, UTC.',
    product_id String COMMENT 'The product.',
    quantity Int32 COMMENT 'Units in the cart, without those that are saved for later.',
    currency LowCardinality(String) COMMENT 'ISO 4217 code of the amounts of the row.',
    unit_price Decimal(38, 4) COMMENT 'Price of one unit as the shopper saw it last.',
    amount Decimal(38, 4) COMMENT 'quantity times unit_price.'
)
AS
WITH {minor_units} AS minor_units
SELECT
    line.seller_id AS seller_id,
    cart.abandoned_at AS abandoned_at,
    cart.cart_id AS cart_id,
    cart.session_id AS session_id,
    cart.changed_at AS changed_at,
    line.product_id AS product_id,
    line.quantity AS quantity,
    cart.currency AS currency,
    toDecimal128(line.unit_price_minor, 4) / minor_units AS unit_price,
    toDecimal128(line.quantity * line.unit_price_minor, 4) / minor_units AS amount
FROM
(
    SELECT occurred_at AS abandoned_at, cart_id, session_id, changed_at, currency, line
    FROM {facts}.cart_abandoned FINAL
    ARRAY JOIN lines AS line
) AS cart
COMMENT 'The lines of the carts that nobody touched for hours, one row for each product each time.'
