-- The number of events to learn from, when the newest model was trained, and when the newest training began. Rows that arrived twice count twice.
SELECT
    (SELECT count() FROM product_viewed) + (SELECT count() FROM cart_changed) + (SELECT count() FROM order_placed) AS events,
    (SELECT max(trained_at) FROM model_cards) AS trained_at,
    (SELECT max(started_at) FROM trainings) AS started_at
