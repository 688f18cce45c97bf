-- Sellers whose id begins with, whose state is, or whose name or city contains what is asked; best-selling first.
SELECT
    seller_id,
    any(known.name) AS name,
    any(known.city) AS city,
    any(known.state) AS state,
    sum(ifNull(orders, 0)) AS orders, -- null for a seller without a sale where join_use_nulls is set
    sum(ifNull(revenue_minor, 0)) AS revenue_minor
FROM
(
    SELECT
        seller_id,
        argMax(name, occurred_at) AS name,
        argMax(city, occurred_at) AS city,
        argMax(state, occurred_at) AS state
    FROM seller_registered
    GROUP BY seller_id
) AS known
FULL OUTER JOIN
(
    SELECT seller_id, orders, revenue_minor
    FROM seller_sales_minute FINAL
    WHERE currency = {currency:String}
        AND orders > 0 -- 0 where a history that begins in the middle knows a cancellation alone
) AS sold USING (seller_id)
GROUP BY seller_id
HAVING {asked:String} = ''
    OR startsWith(lower(seller_id), {asked:String})
    OR lower(state) = {asked:String}
    OR position(
        replaceRegexpAll(normalizeUTF8NFD(lowerUTF8(arrayStringConcat([name, city, state], ' '))), '\\pM', ''),
        {asked:String}
    ) > 0
ORDER BY revenue_minor DESC, seller_id
LIMIT {limit:UInt32}
