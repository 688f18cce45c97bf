-- A seller's orders of a period, newest first, with that seller's lines only and each order's state.
WITH page AS
(
    SELECT
        placed_at,
        order_id,
        any(currency) AS currency,
        arraySort(groupArray((
            line_number, product_id, quantity, unit_price_minor, gross_minor, discount_minor, shipping_minor
        ))) AS lines
    FROM order_lines FINAL
    WHERE seller_id = {seller_id:String}
        AND placed_at >= {period_start:DateTime64(3, 'UTC')}
        AND placed_at <= {before_at:DateTime64(3, 'UTC')}
        AND (placed_at, order_id) < ({before_at:DateTime64(3, 'UTC')}, {before_order_id:String})
    GROUP BY placed_at, order_id
    ORDER BY placed_at DESC, order_id DESC
    LIMIT {limit:UInt32}
)
SELECT
    toUnixTimestamp64Milli(page.placed_at) AS placed_ms,
    page.order_id AS order_id,
    page.currency AS currency,
    page.lines AS lines,
    state.status AS status,
    toUnixTimestamp64Milli(state.confirmed_at) AS confirmed_ms,
    toUnixTimestamp64Milli(state.shipped_at) AS shipped_ms,
    toUnixTimestamp64Milli(state.delivered_at) AS delivered_ms,
    toUnixTimestamp64Milli(state.cancelled_at) AS cancelled_ms
FROM page
LEFT JOIN
(
    SELECT order_id, status, confirmed_at, shipped_at, delivered_at, cancelled_at
    FROM order_state FINAL
    WHERE order_id IN (SELECT order_id FROM page)
) AS state ON state.order_id = page.order_id
ORDER BY page.placed_at DESC, page.order_id DESC
