-- When the newest audit began that made every comparison (Unix time); no row without one.
SELECT toFloat64(max(started_at)) AS started_at_s
FROM audits FINAL
WHERE is_whole AND outcome IN ('agree', 'differ', 'incomplete', 'nothing')
HAVING count() > 0
