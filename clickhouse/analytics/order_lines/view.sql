CREATE OR REPLACE VIEW {view}
(
    seller_id String COMMENT 'Who sells and ships the line.',
    placed_at DateTime64(3, 'UTC') COMMENT 'When the order was placed, UTC.',
    order_id String COMMENT 'The order.',
    line_number Int32 COMMENT 'Position within the order, from 1.',
    shopper_id String COMMENT 'Who bought.',
    product_id String COMMENT 'The product.',
    is_confirmed Bool COMMENT 'Whether the order was confirmed. Only confirmed orders count as sales.',
    is_cancelled Bool COMMENT 'Whether the order was cancelled after it had been confirmed.',
    quantity Int64 COMMENT 'Units ordered.',
    returned_quantity Int64 COMMENT 'Units that came back and were refunded.',
    currency LowCardinality(String) COMMENT 'ISO 4217 code of the amounts of the row.',
    unit_price Decimal(38, 4) COMMENT 'Price of one unit.',
    gross Decimal(38, 4) COMMENT 'quantity times unit_price.',
    discount Decimal(38, 4) COMMENT 'Discount of the whole line; not taken off gross.',
    shipping Decimal(38, 4) COMMENT 'Shipping of the whole line, paid by the shopper.',
    tax Decimal(38, 4) COMMENT 'Tax of the whole line.',
    commission_rate Decimal(9, 4) COMMENT 'The marketplace''s commission as a fraction of 1, frozen when the order was placed.',
    returned Decimal(38, 4) COMMENT 'What the seller gave back for returned units, to the shopper and to the marketplace.',
    revenue Decimal(38, 4) COMMENT 'Deprecated: the same as net_sales.',
    net_sales Decimal(38, 4) COMMENT 'Net sales: gross - discount of a confirmed line, less returns; 0 if the order was cancelled or never confirmed.',
    marketplace_discount Decimal(38, 4) COMMENT 'What the marketplace pays of the line in the shopper''s place, beside the discount. The shopper pays gross - discount - marketplace_discount + shipping + tax.',
    line_voucher_id String COMMENT 'The voucher for its category or product that lowered the line; empty without one.',
    order_voucher_id String COMMENT 'The voucher that lowered the order, this line included; empty without one.'
)
AS
WITH {minor_units} AS minor_units
SELECT
    line.seller_id AS seller_id,
    line.placed_at AS placed_at,
    line.order_id AS order_id,
    line.line_number AS line_number,
    line.shopper_id AS shopper_id,
    line.product_id AS product_id,
    CAST(ifNull(sale.sold, 0) > 0, 'Bool') AS is_confirmed,
    CAST(ifNull(sale.cancelled, 0) > 0, 'Bool') AS is_cancelled,
    line.quantity AS quantity,
    ifNull(sale.returned_units, 0) AS returned_quantity,
    line.currency AS currency,
    toDecimal128(line.unit_price_minor, 4) / minor_units AS unit_price,
    toDecimal128(line.gross_minor, 4) / minor_units AS gross,
    toDecimal128(line.discount_minor, 4) / minor_units AS discount,
    toDecimal128(line.shipping_minor, 4) / minor_units AS shipping,
    toDecimal128(line.tax_minor, 4) / minor_units AS tax,
    toDecimal32(line.commission_bp, 4) / 10000 AS commission_rate,
    toDecimal128(ifNull(sale.returned_minor, 0), 4) / minor_units AS returned,
    toDecimal128(ifNull(sale.revenue_minor, 0), 4) / minor_units AS revenue,
    revenue AS net_sales,
    toDecimal128(line.marketplace_minor, 4) / minor_units AS marketplace_discount,
    line.line_voucher_id AS line_voucher_id,
    line.order_voucher_id AS order_voucher_id
FROM {facts}.order_lines AS line
LEFT JOIN
(
    SELECT
        seller_id,
        order_id,
        line_number,
        countIf(kind = 'sold') AS sold,
        countIf(kind = 'cancelled') AS cancelled,
        sum(returned_units) AS returned_units,
        sum(returned_minor) AS returned_minor,
        sum(revenue_minor) AS revenue_minor
    FROM {facts}.sales_lines
    GROUP BY seller_id, order_id, line_number
) AS sale ON sale.seller_id = line.seller_id AND sale.order_id = line.order_id AND sale.line_number = line.line_number
COMMENT 'The lines of the orders: who sold how much of which product, and what became of it.'
