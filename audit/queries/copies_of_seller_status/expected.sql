-- Every seller that was approved once, for each service that keeps a copy.
SELECT service, seller_id, status = 'approved' AS approved
FROM sellers.sellers
CROSS JOIN (VALUES ('users'), ('alerts')) AS services (service)
WHERE status IN ('approved', 'suspended');
