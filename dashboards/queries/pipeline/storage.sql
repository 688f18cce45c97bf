-- The size of all tables, and the largest number of parts in a partition (low while merges keep up).
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
