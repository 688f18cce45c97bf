CREATE OR REPLACE VIEW {view}
(
    order_id String COMMENT 'The order.',
    shopper_id String COMMENT 'Who bought.',
    session_id Nullable(String) COMMENT 'The session of the browser in which it was placed; NULL if it is not known.',
    placed_at DateTime64(3, 'UTC') COMMENT 'When the order was placed, UTC.',
    status LowCardinality(Nullable(String)) COMMENT 'placed, confirmed, shipped, delivered or cancelled; NULL until the state is known.',
    confirmed_at Nullable(DateTime64(3, 'UTC')) COMMENT 'When the order was confirmed, UTC. Only confirmed orders count as sales.',
    shipped_at Nullable(DateTime64(3, 'UTC')) COMMENT 'When its newest shipment left, UTC.',
    delivered_at Nullable(DateTime64(3, 'UTC')) COMMENT 'When its newest delivery arrived, UTC.',
    cancelled_at Nullable(DateTime64(3, 'UTC')) COMMENT 'When the order was cancelled, UTC.',
    cancellation_reason LowCardinality(Nullable(String)) COMMENT 'Why the order was cancelled.',
    estimated_delivery_at Nullable(DateTime64(3, 'UTC')) COMMENT 'Delivery promised to the shopper, UTC.',
    currency LowCardinality(String) COMMENT 'ISO 4217 code of the amounts of the row.',
    lines UInt64 COMMENT 'Number of order lines; 0 if the source recorded none.',
    sellers UInt64 COMMENT 'Number of sellers of the lines.',
    units Int64 COMMENT 'Units of all lines.',
    gross Decimal(38, 4) COMMENT 'Units times their prices.',
    discount Decimal(38, 4) COMMENT 'Discounts; not taken off gross.',
    shipping Decimal(38, 4) COMMENT 'Shipping paid by the shopper.',
    tax Decimal(38, 4) COMMENT 'Tax.',
    total Decimal(38, 4) COMMENT 'What the shopper pays: gross - discount - marketplace_discount + shipping + tax.',
    returned Decimal(38, 4) COMMENT 'What the sellers gave back for returns, to the shopper and to the marketplace.',
    revenue Decimal(38, 4) COMMENT 'Deprecated: the same as net_sales.',
    net_sales Decimal(38, 4) COMMENT 'Net sales: gross - discount of a confirmed order, less returns; 0 if the order was cancelled or never confirmed.',
    marketplace_discount Decimal(38, 4) COMMENT 'What the marketplace pays in the shopper''s place, beside the discount.'
)
AS
WITH {minor_units} AS minor_units
SELECT
    placed.order_id AS order_id,
    placed.shopper_id AS shopper_id,
    placed.session_id AS session_id,
    placed.occurred_at AS placed_at,
    state.status AS status,
    state.confirmed_at AS confirmed_at,
    state.shipped_at AS shipped_at,
    state.delivered_at AS delivered_at,
    state.cancelled_at AS cancelled_at,
    cancellation.reason AS cancellation_reason,
    placed.estimated_delivery_at AS estimated_delivery_at,
    placed.currency AS currency,
    length(placed.lines) AS lines,
    length(arrayDistinct(placed.lines.seller_id)) AS sellers,
    arraySum(placed.lines.quantity) AS units,
    toDecimal128(arraySum(line -> line.quantity * line.unit_price_minor, placed.lines), 4) / minor_units AS gross,
    toDecimal128(arraySum(placed.lines.discount_minor), 4) / minor_units AS discount,
    toDecimal128(arraySum(placed.lines.shipping_minor), 4) / minor_units AS shipping,
    toDecimal128(arraySum(placed.lines.tax_minor), 4) / minor_units AS tax,
    gross - discount - marketplace_discount + shipping + tax AS total,
    toDecimal128(ifNull(sale.returned_minor, 0), 4) / minor_units AS returned,
    toDecimal128(ifNull(sale.revenue_minor, 0), 4) / minor_units AS revenue,
    revenue AS net_sales,
    toDecimal128(arraySum(line -> ifNull(line.marketplace_minor, 0), placed.lines), 4) / minor_units AS marketplace_discount
FROM {facts}.order_placed AS placed FINAL
LEFT JOIN
(
    SELECT
        order_id,
        toNullable(CAST(max(status), 'String')) AS status,
        max(confirmed_at) AS confirmed_at,
        max(shipped_at) AS shipped_at,
        max(delivered_at) AS delivered_at,
        max(cancelled_at) AS cancelled_at
    FROM {facts}.order_state
    GROUP BY order_id
) AS state ON state.order_id = placed.order_id
LEFT JOIN
(
    SELECT order_id, toNullable(CAST(any(reason), 'String')) AS reason FROM {facts}.order_cancelled FINAL GROUP BY order_id
) AS cancellation ON cancellation.order_id = placed.order_id
LEFT JOIN
(
    SELECT order_id, sum(returned_minor) AS returned_minor, sum(revenue_minor) AS revenue_minor
    FROM {facts}.sales_orders
    GROUP BY order_id
) AS sale ON sale.order_id = placed.order_id
COMMENT 'The orders: one row for each checkout, with its amounts and its state.'
