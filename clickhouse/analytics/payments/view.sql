CREATE OR REPLACE VIEW {view}
(
    kind LowCardinality(String) COMMENT 'captured, failed or refunded.',
    happened_at DateTime64(3, 'UTC') COMMENT 'When, UTC.',
    payment_id String COMMENT 'The payment; an order may have several.',
    refund_id Nullable(String) COMMENT 'The refund; NULL for the other kinds.',
    order_id String COMMENT 'The order.',
    shopper_id String COMMENT 'Who paid, or got money back.',
    method LowCardinality(Nullable(String)) COMMENT 'How it was paid; NULL for a refund, and if unknown.',
    installments Nullable(Int32) COMMENT 'Number of instalments; NULL unless captured.',
    reason LowCardinality(Nullable(String)) COMMENT 'Why it failed or was refunded; NULL if captured, and if unknown.',
    return_id Nullable(String) COMMENT 'The return that a refund pays for.',
    currency LowCardinality(String) COMMENT 'ISO 4217 code of the amounts of the row.',
    amount Decimal(38, 4) COMMENT 'Amount, never below zero.',
    net Decimal(38, 4) COMMENT 'The effect on what was taken: amount if captured, 0 if failed, - amount if refunded.'
)
AS
WITH {minor_units} AS minor_units
SELECT
    kind,
    happened_at,
    payment_id,
    refund_id,
    order_id,
    shopper_id,
    nullIf(method, 'unknown') AS method,
    installments,
    nullIf(reason, 'unknown') AS reason,
    return_id,
    currency,
    toDecimal128(amount_minor, 4) / minor_units AS amount,
    multiIf(kind = 'captured', amount, kind = 'refunded', -amount, toDecimal128(0, 4)) AS net
FROM
(
    SELECT
        'captured' AS kind, occurred_at AS happened_at, payment_id, CAST(NULL, 'Nullable(String)') AS refund_id, order_id,
        shopper_id, toNullable(toString(method)) AS method, toNullable(installments) AS installments,
        CAST(NULL, 'Nullable(String)') AS reason, CAST(NULL, 'Nullable(String)') AS return_id, currency, amount_minor
    FROM {facts}.payment_captured FINAL
    UNION ALL
    SELECT
        'failed', occurred_at, payment_id, NULL, order_id, shopper_id, toString(method), NULL, toString(reason), NULL,
        currency, amount_minor
    FROM {facts}.payment_failed FINAL
    UNION ALL
    SELECT
        'refunded', occurred_at, payment_id, refund_id, order_id, shopper_id, NULL, NULL, toString(reason), return_id,
        currency, amount_minor
    FROM {facts}.payment_refunded FINAL
)
COMMENT 'The movements of money: payments that were captured, attempts that failed, and refunds.'
