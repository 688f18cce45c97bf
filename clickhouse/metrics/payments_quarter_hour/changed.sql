-- The quarters of an hour of the minutes that changed.
SELECT DISTINCT toStartOfFifteenMinutes(minute) AS quarter_hour FROM payments_minute
