CREATE OR REPLACE VIEW {view}
(
    seller_id String COMMENT 'Who ships.',
    order_id String COMMENT 'The order.',
    shipment_id String COMMENT 'The shipment.',
    carrier Nullable(String) COMMENT 'The carrier.',
    is_tracked Nullable(Bool) COMMENT 'Whether the carrier gave a tracking code; NULL if only the delivery is known.',
    shipped_at Nullable(DateTime64(3, 'UTC')) COMMENT 'When it left, UTC; NULL if only the delivery is known.',
    delivered_at Nullable(DateTime64(3, 'UTC')) COMMENT 'When it arrived, UTC; NULL until then.'
)
AS
SELECT
    seller_id,
    order_id,
    shipment_id,
    max(carrier_name) AS carrier,
    CAST(max(tracked), 'Nullable(Bool)') AS is_tracked,
    max(left_at) AS shipped_at,
    max(arrived_at) AS delivered_at
FROM
(
    SELECT
        seller_id, order_id, shipment_id, carrier AS carrier_name,
        toNullable(tracking_code IS NOT NULL) AS tracked, toNullable(occurred_at) AS left_at,
        CAST(NULL, 'Nullable(DateTime64(3, \'UTC\'))') AS arrived_at
    FROM {facts}.order_shipped FINAL
    UNION ALL
    SELECT seller_id, order_id, shipment_id, NULL, NULL, NULL, occurred_at
    FROM {facts}.order_delivered FINAL
)
GROUP BY seller_id, order_id, shipment_id
COMMENT 'The parcels: one row for each shipment of one seller within an order.'
