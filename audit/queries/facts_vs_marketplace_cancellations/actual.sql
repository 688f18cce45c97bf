-- Cancellations of the whole marketplace by minute, as job metrics keeps them.
SELECT
    toString(minute) AS minute, toString(currency) AS currency, orders, units, gross_minor, shipping_minor
FROM marketplace_cancellations_minute FINAL
