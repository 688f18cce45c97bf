-- The minutes of the first and the newest order of the marketplace, cancelled or not; nulls if there are none.
SELECT
    minOrNull(minute) AS first_minute,
    maxOrNull(minute) AS newest_minute
FROM marketplace_sales_minute
WHERE toStartOfFifteenMinutes(minute) IN
(
    SELECT arrayJoin([min(quarter_hour), max(quarter_hour)]) FROM marketplace_sales_quarter_hour
)
