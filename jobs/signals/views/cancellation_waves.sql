-- Windows with far more cancellations than the windows before.
SELECT seller_id, first_at, last_at, cancellations, cancellations_before
FROM seller_windows
MATCH_RECOGNIZE (
  PARTITION BY seller_id
  ORDER BY closed_at
  MEASURES
    W.first_at AS first_at, W.last_at AS last_at, W.cancellations AS cancellations,
    SUM(B.cancellations) AS cancellations_before
  ONE ROW PER MATCH
  AFTER MATCH SKIP PAST LAST ROW
  PATTERN (B{{windows_before:INT}} W) WITHIN INTERVAL '{compared_days:INT}' DAY
  DEFINE
    W AS W.cancellations >= {cancellations:INT}
      AND {windows_before:INT} * W.cancellations >= {wave_factor:INT} * SUM(B.cancellations)
) AS matched
