-- Every seller that was registered, with the time of its newest registration and the profile that readers see.
SELECT
    seller_id,
    toString(registrations.newest_at) AS registered_at,
    ifNull(name, '') AS name,
    ifNull(city, '') AS city,
    ifNull(state, '') AS state,
    ifNull(country, '') AS country
FROM (SELECT seller_id, max(occurred_at) AS newest_at FROM seller_registered FINAL GROUP BY seller_id) AS registrations
INNER JOIN seller_profiles USING (seller_id)
