-- Cancellations by seller and minute, as job metrics keeps them.
SELECT
    seller_id, toString(minute) AS minute, toString(currency) AS currency,
    orders, units, gross_minor, shipping_minor
FROM seller_cancellations_minute FINAL
