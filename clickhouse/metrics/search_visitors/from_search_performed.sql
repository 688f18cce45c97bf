-- A page of results. The text is that of search_pages.
SELECT
    trimBoth(replaceRegexpAll(lowerUTF8(search_performed.query), '\\s+', ' ')) AS query,
    toDateTime(toStartOfMinute(occurred_at), 'UTC') AS minute,
    session_id,
    ifNull(search_performed.shopper_id, '') AS shopper_id
FROM search_performed
