-- Windows with sessions and far fewer orders than the windows before let expect.
SELECT seller_id, first_at, last_at, sessions, orders, sessions_before, orders_before
FROM seller_windows
MATCH_RECOGNIZE (
  PARTITION BY seller_id
  ORDER BY closed_at
  MEASURES
    F.first_at AS first_at, F.last_at AS last_at, F.sessions AS sessions, F.orders AS orders,
    SUM(B.sessions) AS sessions_before, SUM(B.orders) AS orders_before
  ONE ROW PER MATCH
  AFTER MATCH SKIP PAST LAST ROW
  PATTERN (B{{windows_before:INT}} F) WITHIN INTERVAL '{compared_days:INT}' DAY
  DEFINE
    -- Expected are orders before ÷ sessions before × sessions; both sides are multiplied by the sessions before.
    F AS SUM(B.sessions) > 0
      AND SUM(B.orders) * F.sessions >= {expected_orders:INT} * SUM(B.sessions)
      AND SUM(B.orders) * F.sessions >= {fall_factor:INT} * F.orders * SUM(B.sessions)
) AS matched
