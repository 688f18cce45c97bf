-- The newest word on each product. A listing is packed behind its time, so that MAX finds the newest in whatever order
-- they come; and the product is listed unless the newest word is that it is not.
SELECT
  product_id,
  JSON_VALUE(packed, '$.seller_id') AS seller_id,
  JSON_VALUE(packed, '$.name') AS name,
  JSON_VALUE(packed, '$.category') AS category,
  JSON_VALUE(packed, '$.currency') AS currency,
  CAST(JSON_VALUE(packed, '$.price_minor') AS BIGINT) AS price_minor,
  listed
FROM (
  SELECT /*+ STATE_TTL('changes' = '36500 d') */
    product_id,
    SUBSTRING(MAX(packed), 24) AS packed,
    CASE WHEN COALESCE(MAX(delisted_at) > MAX(listed_at), MAX(delisted_at) IS NOT NULL) THEN 0 ELSE 1 END AS listed
  FROM (
    SELECT
      product_id, occurred_at AS listed_at, CAST(NULL AS TIMESTAMP_LTZ(3)) AS delisted_at,
      CONCAT(CAST(occurred_at AS STRING), JSON_OBJECT(
        'seller_id' VALUE seller_id, 'name' VALUE name, 'category' VALUE category, 'currency' VALUE currency,
        'price_minor' VALUE price_minor)) AS packed
    FROM (
      SELECT product_id, CAST(occurred_at AS TIMESTAMP_LTZ(3)) AS occurred_at, seller_id, name, category, currency, price_minor
      FROM events.product_listed
      UNION ALL
      SELECT product_id, CAST(occurred_at AS TIMESTAMP_LTZ(3)), seller_id, name, category, currency, price_minor
      FROM events.product_changed
    )
    UNION ALL
    SELECT product_id, CAST(NULL AS TIMESTAMP_LTZ(3)), CAST(occurred_at AS TIMESTAMP_LTZ(3)), CAST(NULL AS STRING)
    FROM events.product_delisted
  ) AS changes
  GROUP BY product_id
)
