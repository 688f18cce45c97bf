-- Sessions that viewed a seller's products in a window, without robots: a session counts once, whatever it repeats.
SELECT seller_id, window_time AS occurred_at
FROM TABLE(TUMBLE(TABLE events.product_viewed, DESCRIPTOR(occurred_at), INTERVAL '{window_hours:INT}' HOUR))
WHERE seller_id IS NOT NULL
  AND CAST(occurred_at AS TIMESTAMP_LTZ(3)) >= TIMESTAMPADD(DAY, -{news_days:INT}, CURRENT_ROW_TIMESTAMP())
GROUP BY window_start, window_end, window_time, seller_id, session_id
HAVING COUNT(DISTINCT product_id) <= {robot_products:INT}
