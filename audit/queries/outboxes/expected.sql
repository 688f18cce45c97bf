-- No service has any.
SELECT service, 0::bigint AS waiting FROM (VALUES ('orders'), ('inventory'), ('payments')) AS services (service);
