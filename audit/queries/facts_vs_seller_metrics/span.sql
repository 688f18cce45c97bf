-- The first and the last day of the shop on which anything happened, by the facts or by the metrics; no row if nothing did.
SELECT
    formatDateTime(min(moment), '%Y-%m-%d', {timezone:String}) AS first_day,
    formatDateTime(max(moment), '%Y-%m-%d', {timezone:String}) AS last_day
FROM
(
    SELECT assumeNotNull(placed_at) AS moment FROM order_confirmed WHERE placed_at IS NOT NULL
    UNION ALL
    SELECT occurred_at FROM order_returned
    UNION ALL
    SELECT occurred_at FROM payment_refunded
    UNION ALL
    SELECT occurred_at FROM order_confirmed
    UNION ALL
    SELECT occurred_at FROM order_cancelled
    UNION ALL
    SELECT occurred_at FROM payout_paid
    UNION ALL
    SELECT minute FROM sales_lines
    UNION ALL
    SELECT minute FROM earning_lines
    UNION ALL
    SELECT occurred_at FROM order_placed
    UNION ALL
    SELECT occurred_at FROM order_shipped
    UNION ALL
    SELECT occurred_at FROM order_delivered
    UNION ALL
    SELECT assumeNotNull(submitted_at) FROM review_published WHERE submitted_at IS NOT NULL
    UNION ALL
    SELECT occurred_at FROM product_viewed
    UNION ALL
    SELECT occurred_at FROM recommendation_shown
    UNION ALL
    SELECT occurred_at FROM search_performed
    UNION ALL
    SELECT occurred_at FROM product_listed
    UNION ALL
    SELECT occurred_at FROM product_changed
    UNION ALL
    SELECT occurred_at FROM product_delisted
    UNION ALL
    -- What follows from a change of a price counts when up to 14 days after it are over.
    SELECT least(occurred_at + INTERVAL 14 DAY, now64(3)) FROM product_changed
    UNION ALL
    SELECT least(occurred_at + INTERVAL 14 DAY, now64(3)) FROM product_listed
    UNION ALL
    SELECT minute FROM return_lines
    UNION ALL
    -- A time without stock counts for up to 28 days.
    SELECT least(occurred_at + INTERVAL 28 DAY, now64(3)) FROM stock_changed
)
HAVING count() > 0
