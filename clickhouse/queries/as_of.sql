-- Up to which event time each table is complete: the smallest watermark of its current subtasks.
SELECT
    table_name,
    toUnixTimestamp64Milli(min(watermark)) AS as_of_ms
FROM
(
    SELECT
        table_name,
        subtask,
        watermark,
        argMax(parallelism, version) OVER (PARTITION BY table_name) AS current_parallelism
    FROM pipeline_progress FINAL
)
WHERE subtask < current_parallelism
GROUP BY table_name
HAVING count() = any(current_parallelism)
