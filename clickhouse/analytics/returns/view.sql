CREATE OR REPLACE VIEW {view}
(
    seller_id String COMMENT 'To whom it came back.',
    returned_at DateTime64(3, 'UTC') COMMENT 'When it came back, UTC.',
    return_id String COMMENT 'The return.',
    order_id String COMMENT 'The order.',
    line_number Int32 COMMENT 'Position within the order, from 1.',
    shopper_id String COMMENT 'Who bought.',
    product_id String COMMENT 'The product.',
    placed_at DateTime64(3, 'UTC') COMMENT 'When the order was placed, UTC.',
    refunded_at Nullable(DateTime64(3, 'UTC')) COMMENT 'When the shopper was paid back, UTC; NULL until then. Only refunded returns are taken off sales.',
    reason LowCardinality(Nullable(String)) COMMENT 'Why; NULL if unknown.',
    is_restocked Bool COMMENT 'Whether the units can be sold again.',
    quantity Int64 COMMENT 'Units that came back.',
    currency LowCardinality(String) COMMENT 'ISO 4217 code of the amounts of the row.',
    refund Decimal(38, 4) COMMENT 'What the shopper gets back for the line.'
)
AS
WITH {minor_units} AS minor_units
SELECT
    came_back.seller_id AS seller_id,
    came_back.occurred_at AS returned_at,
    came_back.return_id AS return_id,
    came_back.order_id AS order_id,
    line.line_number AS line_number,
    came_back.shopper_id AS shopper_id,
    line.product_id AS product_id,
    came_back.placed_at AS placed_at,
    refund.refunded_at AS refunded_at,
    nullIf(CAST(came_back.reason, 'Nullable(String)'), 'unknown') AS reason,
    line.restocked AS is_restocked,
    line.quantity AS quantity,
    came_back.currency AS currency,
    toDecimal128(line.refund_minor, 4) / minor_units AS refund
FROM
(
    SELECT seller_id, occurred_at, return_id, order_id, shopper_id, placed_at, reason, currency, line
    FROM {facts}.order_returned FINAL
    ARRAY JOIN lines AS line
) AS came_back
LEFT JOIN
(
    SELECT assumeNotNull(return_id) AS return_id, assumeNotNull(seller_id) AS seller_id, toNullable(min(occurred_at)) AS refunded_at
    FROM {facts}.payment_refunded FINAL
    WHERE return_id IS NOT NULL AND seller_id IS NOT NULL
    GROUP BY return_id, seller_id
) AS refund ON refund.return_id = came_back.return_id AND refund.seller_id = came_back.seller_id
COMMENT 'The returned lines: what came back, why, and what was refunded for it.'
