-- Price changes of a seller in a period, the newest first, with what was sold in as many days before and after each.
WITH
    steps AS
    (
        SELECT
            *,
            lagInFrame(is_listed, 1, toUInt8(0)) OVER of_offer AS was_listed,
            lagInFrame(currency) OVER of_offer AS old_currency,
            lagInFrame(price_minor) OVER of_offer AS old_price_minor
        FROM (SELECT * FROM offer_changes WHERE seller_id = {seller_id:String})
        WINDOW of_offer AS
            (PARTITION BY seller_id, product_id ORDER BY at, event_id ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)
    ),
    -- The moments at which the price of an offer changes, or its listing begins or ends: no window reaches beyond them.
    turns AS
    (
        SELECT
            *,
            toDateTime(toStartOfMinute(at), 'UTC') AS minute,
            lagInFrame(minute, 1, minute) OVER of_offer AS previous_minute,
            leadInFrame(minute, 1, toDateTime('2106-01-01 00:00:00', 'UTC')) OVER of_offer AS next_minute
        FROM steps
        WHERE is_listed != was_listed OR (is_listed = 1 AND (price_minor != old_price_minor OR currency != old_currency))
        WINDOW of_offer AS
            (PARTITION BY seller_id, product_id ORDER BY at, event_id ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)
    ),
    changes AS
    (
        SELECT
            seller_id, product_id, event_id, at, minute, old_price_minor, price_minor,
            greatest(0, least(
                toInt64({days:UInt32}),
                intDiv(dateDiff('second', previous_minute, minute), 86400),
                intDiv(dateDiff('second', minute, next_minute), 86400),
                intDiv(dateDiff('second', minute, {until:DateTime('UTC')}), 86400)
            )) AS days
        FROM turns
        WHERE is_listed = 1 AND was_listed = 1 AND currency = {currency:String} AND old_currency = {currency:String}
            AND at >= {period_start:DateTime('UTC')} AND at < {period_end:DateTime('UTC')}
        ORDER BY at DESC, product_id, event_id
        LIMIT {limit:UInt32} BY seller_id
    )
SELECT
    change.seller_id AS seller_id,
    change.product_id AS product_id,
    toUnixTimestamp64Milli(change.at) AS changed_ms,
    change.event_id AS event_id,
    change.old_price_minor AS old_price_minor,
    change.price_minor AS new_price_minor,
    change.days AS days,
    toInt64(ifNull(sold.orders_before, 0)) AS orders_before,
    toInt64(ifNull(sold.units_before, 0)) AS units_before,
    toInt64(ifNull(sold.revenue_before, 0)) AS revenue_before_minor,
    toInt64(ifNull(seen.sessions_before, 0)) AS sessions_before,
    toInt64(ifNull(sold.orders_after, 0)) AS orders_after,
    toInt64(ifNull(sold.units_after, 0)) AS units_after,
    toInt64(ifNull(sold.revenue_after, 0)) AS revenue_after_minor,
    toInt64(ifNull(seen.sessions_after, 0)) AS sessions_after
FROM changes AS change
LEFT JOIN
(
    SELECT
        changed.seller_id AS seller_id,
        changed.event_id AS event_id,
        sumIf(line.orders, line.minute < changed.minute) AS orders_before,
        sumIf(line.units, line.minute < changed.minute) AS units_before,
        sumIf(line.revenue_minor, line.minute < changed.minute) AS revenue_before,
        sumIf(line.orders, line.minute >= changed.minute) AS orders_after,
        sumIf(line.units, line.minute >= changed.minute) AS units_after,
        sumIf(line.revenue_minor, line.minute >= changed.minute) AS revenue_after
    FROM changes AS changed
    INNER JOIN
    (
        SELECT
            seller_id, product_id, minute,
            toInt64(orders_of_product) - cancelled_orders_of_product AS orders,
            source.units - source.cancelled_units AS units,
            source.revenue_minor AS revenue_minor
        FROM sales_lines AS source
        WHERE seller_id = {seller_id:String} AND currency = {currency:String} AND kind != 'returned'
            AND (seller_id, product_id) IN (SELECT seller_id, product_id FROM changes)
    ) AS line ON line.seller_id = changed.seller_id AND line.product_id = changed.product_id
    WHERE line.minute >= changed.minute - toIntervalDay(changed.days)
        AND line.minute < changed.minute + toIntervalDay(changed.days)
    GROUP BY seller_id, event_id
) AS sold ON sold.seller_id = change.seller_id AND sold.event_id = change.event_id
LEFT JOIN
(
    SELECT
        changed.seller_id AS seller_id,
        changed.event_id AS event_id,
        uniqExactIf(viewed.session_id, viewed.minute < changed.minute) AS sessions_before,
        uniqExactIf(viewed.session_id, viewed.minute >= changed.minute) AS sessions_after
    FROM changes AS changed
    INNER JOIN
    (
        SELECT seller_id, product_id, minute, session_id FROM product_views
        WHERE seller_id = {seller_id:String} AND session_id != ''
            AND (seller_id, product_id) IN (SELECT seller_id, product_id FROM changes)
    ) AS viewed ON viewed.seller_id = changed.seller_id AND viewed.product_id = changed.product_id
    WHERE viewed.minute >= changed.minute - toIntervalDay(changed.days)
        AND viewed.minute < changed.minute + toIntervalDay(changed.days)
    GROUP BY seller_id, event_id
) AS seen ON seen.seller_id = change.seller_id AND seen.event_id = change.event_id
ORDER BY change.at DESC, change.product_id, change.event_id
