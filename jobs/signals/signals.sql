-- All signals. An id is that of a kind, a subject and the hour in which the signal was raised: raised again, it is the same.
SELECT
  SUBSTRING(
    SHA256(CONCAT_WS('|', kind, seller_id, subject_kind, subject_id, DATE_FORMAT(last_at, 'yyyy-MM-dd HH'))) FROM 1 FOR 32
  ) AS signal_id,
  kind, seller_id, subject_kind, subject_id, first_at, last_at, figures, sentence
FROM (
  SELECT
    CAST('payment_failures' AS STRING) AS kind,
    CASE WHEN subject_kind = 'seller' THEN subject_id ELSE '' END AS seller_id,
    subject_kind, subject_id, first_at, last_at,
    CAST(MAP['failures', {failures:INT}] AS MAP<STRING, BIGINT>) AS figures,
    CASE
      WHEN subject_kind = 'seller' THEN '{failures:INT} orders in a row were cancelled because their payment failed.'
      ELSE CONCAT('{failures:INT} payments by ', REPLACE(subject_id, '_', ' '), ' failed in a row.')
    END AS sentence
  FROM payment_failures
  UNION ALL
  SELECT
    CASE WHEN low THEN 'low_review_flood' ELSE 'review_flood' END,
    seller_id, subject_kind, subject_id, first_at, last_at,
    CASE
      WHEN low THEN CAST(MAP['low_reviews', {low_reviews:INT}] AS MAP<STRING, BIGINT>)
      ELSE CAST(MAP['reviews', {reviews:INT}] AS MAP<STRING, BIGINT>)
    END,
    CONCAT(
      CASE WHEN low THEN '{low_reviews:INT} reviews with a score of at most {low_score:INT}' ELSE '{reviews:INT} reviews' END,
      ' were published within {review_hours:INT} h.'
    )
  FROM review_floods
  UNION ALL
  SELECT
    CAST('conversion_fall' AS STRING),
    seller_id, CAST('seller' AS STRING), seller_id, first_at, last_at,
    CAST(
      MAP['sessions', sessions, 'orders', orders, 'sessions_before', sessions_before, 'orders_before', orders_before]
      AS MAP<STRING, BIGINT>
    ),
    CONCAT(
      'Orders in {window_hours:INT} h: ', CAST(orders AS STRING), '. ', CAST(sessions AS STRING), ' sessions would have made ',
      CAST(orders_before * sessions / sessions_before AS STRING), ' at the rate of the {windows_before:INT} periods before.'
    )
  FROM conversion_falls
  UNION ALL
  SELECT
    CAST('cancellation_wave' AS STRING),
    seller_id, CAST('seller' AS STRING), seller_id, first_at, last_at,
    CAST(MAP['cancellations', cancellations, 'cancellations_before', cancellations_before] AS MAP<STRING, BIGINT>),
    CONCAT(
      CAST(cancellations AS STRING), ' orders were cancelled in {window_hours:INT} h, after ',
      CAST(cancellations_before AS STRING), ' in the {windows_before:INT} periods before.'
    )
  FROM cancellation_waves
  UNION ALL
  SELECT
    CAST('stock_end' AS STRING),
    seller_id, CAST('product' AS STRING), product_id, first_at, last_at,
    CAST(
      MAP['available', available, 'units_sold', units, 'pace_days', {pace_days:INT}, 'lead_days', {lead_days:INT}]
      AS MAP<STRING, BIGINT>
    ),
    CONCAT(
      'Units left: ', CAST(available AS STRING), '. ', CAST(units AS STRING), ' were sold in {pace_days:INT} days, so they last ',
      CAST(available * {pace_days:INT} / units AS STRING), ' days; a delivery takes {lead_days:INT}.'
    )
  FROM stock_ends
)
