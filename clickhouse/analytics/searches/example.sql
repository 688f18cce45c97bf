-- Which searches find nothing?
SELECT lower(query) AS search, uniqExact(search_id) AS searches
FROM analytics.searches
WHERE results = 0 AND page_number = 1
GROUP BY search
ORDER BY searches DESC
LIMIT 20
