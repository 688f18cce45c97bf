-- How many seconds the slowest existing table is behind the clock; no row without tables.
SELECT greatest(0, dateDiff('second', fromUnixTimestamp64Milli(min(as_of_ms)), now64(3))) AS behind_s
FROM q_as_of
WHERE table_name IN (SELECT name FROM system.tables WHERE database = currentDatabase())
HAVING count() > 0
