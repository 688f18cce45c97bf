-- Products on offer that were listed or became cheaper since a moment, the newest change first.
SELECT
    product_id,
    min(first_at) >= {since:DateTime('UTC')} AS is_new,
    if(is_new, min(first_at), maxIf(last_at, is_cheaper)) AS changed_at,
    toUnixTimestamp64Milli(changed_at) / 1000 AS changed_s,
    argMaxIf(seller_id, last_at, is_cheaper) AS cheaper_from
FROM
(
    SELECT
        seller_id,
        product_id,
        min(change.at) AS first_at,
        max(change.at) AS last_at,
        arraySort(groupArray((change.at, change.event_id, change.is_listed, change.currency, change.price_minor))) AS changes,
        changes[-1] AS newest,
        changes[-2] AS before,
        newest.3 = 1 AS is_listed,
        is_listed AND before.3 = 1 AND before.4 = newest.4 AND before.5 > newest.5 AS is_cheaper
    FROM offer_changes AS change
    GROUP BY seller_id, product_id
)
GROUP BY product_id
HAVING max(is_listed) AND changed_at >= {since:DateTime('UTC')}
ORDER BY changed_at DESC, product_id
LIMIT {limit:UInt32}
