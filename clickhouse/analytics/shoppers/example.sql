-- Where do shoppers live, and how many of them bought more than once?
SELECT shoppers.state AS state, count() AS buyers, countIf(bought.orders > 1) AS repeat_buyers
FROM analytics.shoppers AS shoppers
INNER JOIN
(
    SELECT shopper_id, count() AS orders FROM analytics.orders WHERE confirmed_at IS NOT NULL GROUP BY shopper_id
) AS bought USING (shopper_id)
GROUP BY state
ORDER BY buyers DESC
