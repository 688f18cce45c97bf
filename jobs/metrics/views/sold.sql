-- Orders that were placed and confirmed, without duplicates; `minute` is the minute in which the order was placed.
SELECT placed.currency, placed.placed_at, placed.`minute`, placed.lines
FROM placed JOIN confirmed ON placed.order_id = confirmed.order_id
