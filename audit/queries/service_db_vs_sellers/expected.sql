-- Every seller that was ever approved, with the time of its newest registration and its profile.
SELECT
    seller_id,
    to_char(date_trunc('milliseconds', registered_at AT TIME ZONE 'UTC'), 'YYYY-MM-DD HH24:MI:SS.MS') AS registered_at,
    coalesce(name, '') AS name,
    coalesce(city, '') AS city,
    coalesce(state, '') AS state,
    coalesce(country, '') AS country
FROM sellers.sellers
WHERE registered_at IS NOT NULL;
