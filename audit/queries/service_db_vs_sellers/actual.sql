-- Every seller that was registered, with the time of its newest registration.
SELECT seller_id, toString(max(occurred_at)) AS registered_at
FROM seller_registered FINAL
GROUP BY seller_id
