-- No event is in a service's outbox.
SELECT service, 0::bigint AS waiting
FROM (
    VALUES ('orders'), ('inventory'), ('payments'), ('users'), ('sellers'), ('configuration'), ('alerts')
) AS services (service);
