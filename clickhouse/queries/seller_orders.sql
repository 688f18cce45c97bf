-- A seller's orders of a period, newest first, with that seller's lines only.
SELECT
    toUnixTimestamp64Milli(placed_at) AS placed_ms,
    order_id,
    any(currency) AS currency,
    arraySort(groupArray((
        line_number, product_id, quantity, unit_price_minor, gross_minor, discount_minor, shipping_minor
    ))) AS lines
FROM order_lines
WHERE seller_id = {seller_id:String}
    AND placed_at >= {period_start:DateTime64(3, 'UTC')}
    AND placed_at <= {before_at:DateTime64(3, 'UTC')}
    AND (placed_at, order_id) < ({before_at:DateTime64(3, 'UTC')}, {before_order_id:String})
GROUP BY placed_at, order_id
ORDER BY placed_at DESC, order_id DESC
LIMIT {limit:UInt32}
