-- How many days does each carrier need?
SELECT
    carrier,
    count() AS parcels,
    round(avg(dateDiff('hour', shipped_at, delivered_at)) / 24, 1) AS days
FROM analytics.shipments
WHERE delivered_at IS NOT NULL AND shipped_at IS NOT NULL
GROUP BY carrier
ORDER BY parcels DESC
