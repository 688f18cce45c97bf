-- The first ten products of each visit: when each came first, and the most that was done with it.
-- MIN, MAX and the first ten by time are the same whatever order events come in, and however often. Ten also
-- bound what one visit can do, a robot's or a hoarder's too: 45 pairs.
SELECT visit_id, product_id, weight, first_s
FROM (
  SELECT *, ROW_NUMBER() OVER (PARTITION BY visit_id ORDER BY first_s, product_id) AS place
  FROM (
    SELECT visit_id, product_id, MAX(weight) AS weight, MIN(touched_s) AS first_s
    FROM touches
    GROUP BY visit_id, product_id
  )
)
WHERE place <= 10
