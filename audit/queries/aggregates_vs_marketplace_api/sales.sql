-- Sales and cancellations of the marketplace in each month or day of the shop, from the aggregates.
SELECT
    formatDateTime(minute, {bucket:String}, {timezone:String}) AS bucket,
    sum(sold.orders) AS orders, sum(sold.lines) AS lines, sum(sold.units) AS units,
    sum(sold.gross_minor) AS gross_minor, sum(sold.discount_minor) AS discount_minor,
    sum(sold.shipping_minor) AS shipping_minor,
    sum(sold.cancelled_orders) AS cancelled_orders, sum(sold.cancelled_gross_minor) AS cancelled_gross_minor,
    sum(sold.cancelled_discount_minor) AS cancelled_discount_minor, sum(sold.returned_minor) AS returned_minor,
    sum(sold.revenue_minor) AS net_sales_minor
FROM marketplace_sales_minute AS sold
WHERE currency = {currency:String}
GROUP BY bucket
