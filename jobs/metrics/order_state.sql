-- The current state of each order. Every column is a MAX: neither the order of the events nor a repeat changes it.
SELECT
  order_id,
  MAX(shopper_id) AS shopper_id,
  MAX(currency) AS currency,
  MAX(taken_at) FILTER (WHERE step = 'placed') AS placed_at,
  MAX(taken_at) FILTER (WHERE step = 'confirmed') AS confirmed_at,
  MAX(taken_at) FILTER (WHERE step = 'shipped') AS shipped_at,
  MAX(taken_at) FILTER (WHERE step = 'delivered') AS delivered_at,
  MAX(taken_at) FILTER (WHERE step = 'cancelled') AS cancelled_at,
  CASE MAX(CASE step WHEN 'placed' THEN 1 WHEN 'confirmed' THEN 2 WHEN 'shipped' THEN 3 WHEN 'delivered' THEN 4 ELSE 5 END)
    WHEN 1 THEN 'placed' WHEN 2 THEN 'confirmed' WHEN 3 THEN 'shipped' WHEN 4 THEN 'delivered' ELSE 'cancelled'
  END AS status
FROM order_changes
GROUP BY order_id
