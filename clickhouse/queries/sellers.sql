-- Sellers that match a text by the start of their id, their state, or a part of their name or city; best-selling first.
WITH arrayMap({fold}, [{asked:String}, seller_id, ifNull(state, ''), arrayStringConcat([name, city, state], ' ')]) AS folded
SELECT
    seller_id,
    any(known.name) AS name,
    any(known.city) AS city,
    any(known.state) AS state,
    sum(ifNull(orders, 0)) AS orders, -- null for a seller without a sale if join_use_nulls is set
    sum(ifNull(revenue_minor, 0)) AS revenue_minor
FROM
(
    SELECT seller_id, name, city, state FROM seller_profiles
) AS known
FULL OUTER JOIN
(
    SELECT seller_id, sum(orders) AS orders, sum(revenue_minor) AS revenue_minor
    FROM seller_sales_day
    WHERE currency = {currency:String}
    GROUP BY seller_id
    HAVING orders > 0 -- 0 if the history has only the cancellations of the seller's orders
) AS sold USING (seller_id)
GROUP BY seller_id
HAVING {asked:String} = ''
    OR startsWith(folded[2], folded[1])
    OR folded[3] = folded[1]
    OR position(folded[4], folded[1]) > 0
ORDER BY revenue_minor DESC, seller_id
LIMIT {limit:UInt32}
