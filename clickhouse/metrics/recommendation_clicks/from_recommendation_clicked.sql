-- A click.
SELECT product_id, occurred_at AS clicked_at, event_id, recommendation_id, ifNull(shopper_id, '') AS shopper_id
FROM recommendation_clicked
