-- The minutes of the rows that an insert adds.
SELECT DISTINCT minute FROM recommendation_lists
