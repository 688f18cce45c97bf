CREATE OR REPLACE VIEW {view}
(
    seller_id String COMMENT 'The seller.',
    registered_at DateTime64(3, 'UTC') COMMENT 'When the seller applied, UTC.',
    approved_at Nullable(DateTime64(3, 'UTC')) COMMENT 'When the seller was approved last, UTC; NULL until then.',
    name Nullable(String) COMMENT 'Name of the shop.',
    city Nullable(String) COMMENT 'City as the source wrote it.',
    state Nullable(String) COMMENT 'State or region, such as SP.',
    country Nullable(String) COMMENT 'ISO 3166-1 alpha-2 code.',
    commission_rate Nullable(Decimal(9, 4)) COMMENT 'Commission as a fraction of 1 that applies to new orders; NULL until approved.'
)
AS
SELECT
    seller.seller_id AS seller_id,
    seller.registered_at AS registered_at,
    approval.approved_at AS approved_at,
    seller.name AS name,
    seller.city AS city,
    seller.state AS state,
    seller.country AS country,
    approval.commission_rate AS commission_rate
FROM {facts}.seller_profiles AS seller
LEFT JOIN
(
    SELECT
        seller_id,
        toNullable(max(occurred_at)) AS approved_at,
        toNullable(toDecimal32(argMax(commission_bp, occurred_at), 4) / 10000) AS commission_rate
    FROM {facts}.seller_approved FINAL
    GROUP BY seller_id
) AS approval ON approval.seller_id = seller.seller_id
COMMENT 'The sellers: who may sell since when, at which commission.'
