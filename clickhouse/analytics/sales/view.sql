CREATE OR REPLACE VIEW {view}
(
    seller_id String COMMENT 'Who sold.',
    placed_at DateTime('UTC') COMMENT 'Minute in which the order was placed, UTC.',
    order_id String COMMENT 'The order.',
    kind LowCardinality(String) COMMENT 'sold, cancelled or returned.',
    line_number Int32 COMMENT 'Position within the order, from 1.',
    product_id String COMMENT 'The product.',
    return_id Nullable(String) COMMENT 'The return; NULL for the other kinds.',
    currency LowCardinality(String) COMMENT 'ISO 4217 code of the amounts of the row.',
    units Int64 COMMENT 'Units; below zero for a cancellation or a return.',
    gross Decimal(38, 4) COMMENT 'Units times their price; below zero for a cancellation, 0 for a return.',
    discount Decimal(38, 4) COMMENT 'Discount of the line; below zero for a cancellation, 0 for a return.',
    shipping Decimal(38, 4) COMMENT 'Shipping of the line; below zero for a cancellation, 0 for a return.',
    refund Decimal(38, 4) COMMENT 'What the seller gave back, to the shopper and to the marketplace; 0 for the other kinds.',
    revenue Decimal(38, 4) COMMENT 'Deprecated: the same as net_sales.',
    net_sales Decimal(38, 4) COMMENT 'Net sales: gross - discount - refund.'
)
AS
WITH {minor_units} AS minor_units
SELECT
    seller_id,
    minute AS placed_at,
    order_id,
    CAST(kind, 'String') AS kind,
    line_number,
    product_id,
    nullIf(return_id, '') AS return_id,
    currency,
    units - cancelled_units - returned_units AS units,
    toDecimal128(gross_minor - cancelled_gross_minor, 4) / minor_units AS gross,
    toDecimal128(discount_minor - cancelled_discount_minor, 4) / minor_units AS discount,
    toDecimal128(shipping_minor - cancelled_shipping_minor, 4) / minor_units AS shipping,
    toDecimal128(returned_minor, 4) / minor_units AS refund,
    toDecimal128(revenue_minor, 4) / minor_units AS revenue,
    revenue AS net_sales
FROM {facts}.sales_lines
COMMENT 'What was sold, cancelled and returned: signed rows that add up to the figures of the sellers'' pages.'
