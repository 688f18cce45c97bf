-- What all tables hold together, and the most parts that any partition has (merges must keep up with inserts).
SELECT
    sum(row_count) AS row_count,
    sum(bytes) AS bytes,
    max(part_count) AS most_parts
FROM
(
    SELECT
        sum(rows) AS row_count,
        sum(bytes_on_disk) AS bytes,
        count() AS part_count
    FROM system.parts
    WHERE database = currentDatabase() AND active
    GROUP BY table, partition_id
)
