-- What many visitors searched since a time and found, the most popular first; no search of fewer visitors than {visitors:UInt64}.
SELECT any(lowerUTF8(text)) AS search, uniqExact(visitor) AS searched_by
FROM
(
    SELECT trimBoth(query) AS text, ifNull(shopper_id, session_id) AS visitor
    FROM search_performed
    WHERE occurred_at >= {since:DateTime64(3, 'UTC')} AND result_count > 0 AND lengthUTF8(text) BETWEEN 2 AND 40
)
GROUP BY arrayMap({fold}, [text])[1]
HAVING searched_by >= {visitors:UInt64}
ORDER BY searched_by DESC, search
LIMIT {limit:UInt32}
