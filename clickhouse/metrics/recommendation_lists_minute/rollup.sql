-- The sums of the minutes that changed.
SELECT
    minute,
    count() AS lists,
    sum(recommendation_lists.impressions) AS impressions,
    {computed_at} AS computed_at
FROM recommendation_lists
WHERE {changed}
GROUP BY minute
