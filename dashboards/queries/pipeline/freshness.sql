-- How far, in seconds, the slowest table is behind the clock; no row while no table has begun.
SELECT greatest(0, dateDiff('second', fromUnixTimestamp64Milli(min(as_of_ms)), now64(3))) AS behind_s
FROM q_as_of
HAVING count() > 0
