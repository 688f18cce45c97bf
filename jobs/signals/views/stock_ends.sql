-- Stocks that lasted long enough and no longer do. Levels between the two limits neither raise a signal nor end one.
SELECT seller_id, product_id, first_at, last_at, available, units
FROM (
  SELECT seller_id, product_id, closed_at, hour_end, available, units, short, safe
  FROM (
    SELECT
      seller_id, product_id, closed_at, hour_end, available, units,
      units >= {units_sold:INT} AND available * {pace_days:INT} < units * {lead_days:INT} AS short,
      100 * available * {pace_days:INT} >= {safe_percent:INT} * units * {lead_days:INT} AS safe
    FROM stock_supply
  )
  WHERE short OR safe
)
MATCH_RECOGNIZE (
  PARTITION BY seller_id, product_id
  ORDER BY closed_at
  MEASURES A.hour_end AS first_at, E.hour_end AS last_at, E.available AS available, E.units AS units
  ONE ROW PER MATCH
  AFTER MATCH SKIP PAST LAST ROW
  PATTERN (A E)
  DEFINE
    A AS A.safe,
    E AS E.short
) AS matched
