-- The steps of orders, one row for each event: the step, its time, shopper, currency, and the seller of a shipped or
-- delivered parcel. A field that the event does not have is ''. A cancellation also contains the time of the step placed.
SELECT order_id, shopper_id, currency, '' AS seller_id, 'placed' AS step, CAST(occurred_at AS TIMESTAMP_LTZ(3)) AS taken_at
FROM events.order_placed
UNION ALL
SELECT order_id, shopper_id, '', '', 'confirmed', CAST(occurred_at AS TIMESTAMP_LTZ(3)) FROM events.order_confirmed
UNION ALL
SELECT order_id, '', '', seller_id, 'shipped', CAST(occurred_at AS TIMESTAMP_LTZ(3)) FROM events.order_shipped
UNION ALL
SELECT order_id, '', '', seller_id, 'delivered', CAST(occurred_at AS TIMESTAMP_LTZ(3)) FROM events.order_delivered
UNION ALL
SELECT order_id, shopper_id, currency, '', 'cancelled', CAST(occurred_at AS TIMESTAMP_LTZ(3)) FROM events.order_cancelled
UNION ALL
SELECT order_id, shopper_id, currency, '', 'placed', placed_at FROM events.order_cancelled
