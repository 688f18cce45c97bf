-- Visits of the period with a product view, visits with an addition to the cart, and orders.
SELECT
    (
        SELECT uniq(session_id)
        FROM product_viewed
        WHERE occurred_at >= {period_start:DateTime('UTC')} AND occurred_at < {period_end:DateTime('UTC')}
    ) AS viewed,
    (
        SELECT uniq(session_id)
        FROM cart_changed
        WHERE quantity > quantity_before
            AND occurred_at >= {period_start:DateTime('UTC')} AND occurred_at < {period_end:DateTime('UTC')}
    ) AS added,
    (
        SELECT uniqExact(order_id)
        FROM order_placed
        WHERE occurred_at >= {period_start:DateTime('UTC')} AND occurred_at < {period_end:DateTime('UTC')}
    ) AS ordered,
    if(viewed = 0, NULL, ordered / viewed) AS conversion
