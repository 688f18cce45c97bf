-- Windows with visits and far fewer orders than the windows before let expect.
SELECT seller_id, first_at, last_at, visits, orders, visits_before, orders_before
FROM seller_windows
MATCH_RECOGNIZE (
  PARTITION BY seller_id
  ORDER BY closed_at
  MEASURES
    F.first_at AS first_at, F.last_at AS last_at, F.visits AS visits, F.orders AS orders,
    SUM(B.visits) AS visits_before, SUM(B.orders) AS orders_before
  ONE ROW PER MATCH
  AFTER MATCH SKIP PAST LAST ROW
  PATTERN (B{{windows_before:INT}} F) WITHIN INTERVAL '{compared_days:INT}' DAY
  DEFINE
    -- Expected are orders before ÷ visits before × visits; both sides are multiplied by the visits before.
    F AS SUM(B.visits) > 0
      AND SUM(B.orders) * F.visits >= {expected_orders:INT} * SUM(B.visits)
      AND SUM(B.orders) * F.visits >= {fall_factor:INT} * F.orders * SUM(B.visits)
) AS matched
