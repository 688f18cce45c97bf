-- How many events each signal names. Of a conversion, these are sessions; of a stock, units sold.
SELECT
    signal_id,
    seller_id,
    multiIf(
        kind = 'payment_failures', figures['failures'],
        kind = 'review_flood', figures['reviews'],
        kind = 'low_review_flood', figures['low_reviews'],
        kind = 'cancellation_wave', figures['cancellations'],
        kind = 'conversion_fall', figures['sessions'],
        figures['units_sold']
    ) AS events
FROM signals FINAL
