-- What the services have read.
SELECT 'users' AS service, seller_id, approved
FROM users.seller_status
UNION ALL
SELECT 'alerts', seller_id, approved
FROM alerts.seller_status;
