CREATE OR REPLACE VIEW {view}
(
    seller_id Nullable(String) COMMENT 'The seller whom it concerns; NULL if it concerns the marketplace only.',
    raised_at DateTime64(3, 'UTC') COMMENT 'When it was raised, UTC.',
    signal_id String COMMENT 'The signal.',
    kind LowCardinality(String) COMMENT 'payment_failures, conversion_fall, review_flood, low_review_flood, stock_end or cancellation_wave.',
    subject_kind LowCardinality(String) COMMENT 'What it is about: product, seller or payment_method.',
    subject_id String COMMENT 'The product, the seller or the payment method that it is about.',
    began_at DateTime64(3, 'UTC') COMMENT 'When what it reports began, UTC.',
    sentence String COMMENT 'What happened.',
    failures Nullable(Int64) COMMENT 'Payments or orders that failed in a row; NULL for other kinds.',
    reviews Nullable(Int64) COMMENT 'Reviews of the flood, whatever their score or with a low one; NULL for other kinds.',
    sessions Nullable(Int64) COMMENT 'Sessions in the window; NULL unless a conversion fell.',
    orders Nullable(Int64) COMMENT 'Orders in the window; NULL unless a conversion fell.',
    sessions_before Nullable(Int64) COMMENT 'Sessions in the windows before; NULL unless a conversion fell.',
    orders_before Nullable(Int64) COMMENT 'Orders in the windows before; NULL unless a conversion fell.',
    cancellations Nullable(Int64) COMMENT 'Cancelled orders in the window; NULL for other kinds.',
    cancellations_before Nullable(Int64) COMMENT 'Cancelled orders in the windows before; NULL for other kinds.',
    units_available Nullable(Int64) COMMENT 'Units that could still be sold; NULL unless a stock ends.',
    units_sold Nullable(Int64) COMMENT 'Units sold in the days before; NULL unless a stock ends.'
)
AS
SELECT
    nullIf(signal.seller_id, '') AS seller_id,
    signal.last_at AS raised_at,
    signal.signal_id AS signal_id,
    signal.kind AS kind,
    signal.subject_kind AS subject_kind,
    signal.subject_id AS subject_id,
    signal.first_at AS began_at,
    signal.sentence AS sentence,
    if(mapContains(signal.figures, 'failures'), signal.figures['failures'], NULL) AS failures,
    multiIf(
        mapContains(signal.figures, 'reviews'), signal.figures['reviews'],
        mapContains(signal.figures, 'low_reviews'), signal.figures['low_reviews'],
        NULL
    ) AS reviews,
    if(mapContains(signal.figures, 'sessions'), signal.figures['sessions'], NULL) AS sessions,
    if(mapContains(signal.figures, 'orders'), signal.figures['orders'], NULL) AS orders,
    if(mapContains(signal.figures, 'sessions_before'), signal.figures['sessions_before'], NULL) AS sessions_before,
    if(mapContains(signal.figures, 'orders_before'), signal.figures['orders_before'], NULL) AS orders_before,
    if(mapContains(signal.figures, 'cancellations'), signal.figures['cancellations'], NULL) AS cancellations,
    if(mapContains(signal.figures, 'cancellations_before'), signal.figures['cancellations_before'], NULL) AS cancellations_before,
    if(mapContains(signal.figures, 'available'), signal.figures['available'], NULL) AS units_available,
    if(mapContains(signal.figures, 'units_sold'), signal.figures['units_sold'], NULL) AS units_sold
FROM {facts}.signals AS signal FINAL
COMMENT 'What sellers and operators must know of, such as a wave of cancellations. Each is raised once.'
