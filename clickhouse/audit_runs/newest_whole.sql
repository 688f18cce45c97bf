-- When the newest audit began that made every comparison, or without one the first nightly audit that tried to
-- (Unix time); no row without either.
SELECT toFloat64(
    if(countIf(has_compared) > 0, maxIf(started_at, has_compared), min(started_at))
) AS started_at_s
FROM
(
    SELECT
        started_at,
        outcome IN ('agree', 'differ', 'incomplete', 'nothing') AS has_compared
    FROM audits FINAL
    WHERE is_whole AND (has_compared OR trigger = 'scheduled')
)
HAVING count() > 0
