-- The event time up to which each table is complete: its lowest watermark, limited by its services' reports.
WITH
    -- Service → the time up to which all its events are in Kafka. A service that has never reported sets no limit.
    (
        SELECT mapFromArrays(groupArray(substring(table_name, 8)), groupArray(watermark))
        FROM pipeline_progress FINAL
        WHERE startsWith(table_name, 'outbox.')
    ) AS complete_until,
    -- Metric that ClickHouse derives from facts (clickhouse/metrics/) → the tables of these facts.
    {facts_of} AS facts_of,
    -- The commerce services whose events the table has, or from which its job computes it.
    {emitted_by}[table_name] AS services,
    arrayMap(service -> complete_until[service], arrayFilter(service -> mapContains(complete_until, service), services))
        AS limits
SELECT
    name AS table_name,
    toUnixTimestamp64Milli(min(complete_to)) AS as_of_ms
FROM
(
    SELECT
        table_name,
        arrayMin(arrayPushBack(limits, min(watermark))) AS complete_to
    FROM
    (
        SELECT
            table_name,
            subtask,
            watermark,
            argMax(parallelism, version) OVER (PARTITION BY table_name) AS current_parallelism
        FROM pipeline_progress FINAL
        WHERE NOT startsWith(table_name, 'outbox.') AND NOT mapContains(facts_of, table_name)
    )
    WHERE subtask < current_parallelism
    GROUP BY table_name
    HAVING count() = any(current_parallelism)
)
ARRAY JOIN arrayPushBack(mapKeys(mapFilter((metric, facts) -> has(facts, table_name), facts_of)), table_name) AS name
GROUP BY name
HAVING count() = greatest(length(facts_of[name]), 1)
