-- A page of results.
SELECT
    search_id,
    toDateTime(toStartOfMinute(occurred_at), 'UTC') AS minute,
    event_id,
    trimBoth(replaceRegexpAll(lowerUTF8(search_performed.query), '\\s+', ' ')) AS query,
    result_count AS results,
    length(product_ids) AS impressions
FROM search_performed
