-- The event time up to which each table of the jobs is complete, and its rows, parts and bytes on disk.
SELECT
    stored.table_name AS table_name,
    if(progress.as_of_ms = 0, NULL, fromUnixTimestamp64Milli(progress.as_of_ms)) AS complete_to,
    if(progress.as_of_ms = 0, NULL, greatest(0, dateDiff('second', complete_to, now64(3)))) AS behind_s,
    stored.row_count AS row_count,
    stored.part_count AS part_count,
    stored.bytes AS bytes
FROM
(
    SELECT
        table AS table_name,
        sum(rows) AS row_count,
        count() AS part_count,
        sum(bytes_on_disk) AS bytes
    FROM system.parts
    WHERE database = currentDatabase() AND active
    GROUP BY table
) AS stored
LEFT JOIN q_as_of AS progress ON progress.table_name = stored.table_name
ORDER BY row_count DESC, table_name
