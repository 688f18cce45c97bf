-- The newest listing of each product by each seller, as JSON, and whether the seller still offers it (1) or not (0).
-- The listing follows its time in one string, so that MAX finds the newest listing in any order of events.
SELECT product_id, seller_id, JSON_VALUE(listing, '$.category') AS category, listing, listed
FROM (
  SELECT /*+ STATE_TTL('changes' = '36500 d') */
    product_id, seller_id,
    SUBSTRING(MAX(packed), 24) AS listing,
    CASE WHEN COALESCE(MAX(delisted_at) > MAX(listed_at), MAX(delisted_at) IS NOT NULL) THEN 0 ELSE 1 END AS listed
  FROM (
    SELECT
      product_id, seller_id, occurred_at AS listed_at, CAST(NULL AS TIMESTAMP_LTZ(3)) AS delisted_at,
      -- What a listing does not say takes no memory.
      CONCAT(CAST(occurred_at AS STRING), JSON_OBJECT(
        'seller_id' VALUE seller_id, 'name' VALUE name, 'category' VALUE category, 'currency' VALUE currency,
        'price_minor' VALUE price_minor, 'group_id' VALUE group_id,
        'attributes' VALUE CASE WHEN CARDINALITY(attributes) > 0 THEN attributes END ABSENT ON NULL)) AS packed
    FROM (
      SELECT product_id, CAST(occurred_at AS TIMESTAMP_LTZ(3)) AS occurred_at, seller_id, name, category, currency, price_minor,
        group_id, attributes
      FROM events.product_listed
      UNION ALL
      SELECT product_id, CAST(occurred_at AS TIMESTAMP_LTZ(3)), seller_id, name, category, currency, price_minor,
        group_id, attributes
      FROM events.product_changed
    )
    UNION ALL
    SELECT
      product_id, seller_id, CAST(NULL AS TIMESTAMP_LTZ(3)), CAST(occurred_at AS TIMESTAMP_LTZ(3)), CAST(NULL AS STRING)
    FROM events.product_delisted
  ) AS changes
  GROUP BY product_id, seller_id
)
WHERE listing IS NOT NULL
