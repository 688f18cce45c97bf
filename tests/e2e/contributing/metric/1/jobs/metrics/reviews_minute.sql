-- Reviews of each minute, by score; each counts once.
SELECT `minute`, score, COUNT(*) AS reviews
FROM (
  SELECT
    FLOOR(reviewed_at TO MINUTE) AS `minute`, score,
    ROW_NUMBER() OVER (PARTITION BY event_id ORDER BY arrived_at) AS copy
  FROM (
    SELECT event_id, CAST(occurred_at AS TIMESTAMP_LTZ(3)) AS reviewed_at, score, PROCTIME() AS arrived_at
    FROM events.review_submitted
  )
)
WHERE copy = 1
GROUP BY `minute`, score
