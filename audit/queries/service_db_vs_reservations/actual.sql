-- The units of every order, from the events of reservations, and from the stock changes with an order id.
SELECT
    order_id,
    countIf(kind = 'reserved') AS reservations,
    countIf(kind = 'refused') AS refusals,
    countIf(kind = 'released') AS releases,
    sumIf(units, kind = 'reserved') AS units_held,
    sumIf(units, kind = 'shipped') AS units_sold,
    sumIf(units, kind = 'returned') AS units_returned
FROM
(
    SELECT order_id, 'reserved' AS kind, toInt64(arraySum(lines.quantity)) AS units FROM stock_reserved FINAL
    UNION ALL
    SELECT order_id, 'refused', toInt64(0) FROM stock_refused FINAL
    UNION ALL
    SELECT order_id, 'released', toInt64(0) FROM stock_released FINAL
    UNION ALL
    SELECT assumeNotNull(order_id), toString(reason), toInt64(abs(change))
    FROM stock_changed FINAL
    WHERE order_id IS NOT NULL AND reason IN ('shipped', 'returned')
)
WHERE match(order_id, {own_order:String})
GROUP BY order_id
