-- What the newest event of every listing says, unless it is a delisting.
SELECT
    product_id,
    seller_id,
    toUnixTimestamp64Milli(max(occurred_at)) AS changed_ms,
    argMax(name, occurred_at) AS name,
    argMax(category, occurred_at) AS category,
    argMax(description, occurred_at) AS description,
    argMax(group_id, occurred_at) AS group_id,
    argMax(sku, occurred_at) AS sku,
    argMax(condition, occurred_at) AS condition,
    argMax(handling_days, occurred_at) AS handling_days,
    argMax(currency, occurred_at) AS currency,
    argMax(price_minor, occurred_at) AS price_minor,
    argMax(attributes, occurred_at) AS attributes,
    argMax(pictures, occurred_at) AS pictures
FROM
(
    SELECT
        product_id, seller_id, occurred_at, true AS is_listed, ifNull(name, '') AS name, ifNull(category, '') AS category,
        ifNull(description, '') AS description, ifNull(group_id, '') AS group_id, ifNull(sku, '') AS sku,
        if(condition = '', 'new', toString(condition)) AS condition, toInt64(ifNull(handling_days, -1)) AS handling_days,
        toString(currency) AS currency, price_minor,
        arrayStringConcat(arrayMap(key -> concat(key, '=', attributes[key]), arraySort(mapKeys(attributes))), '|') AS attributes,
        arrayStringConcat(pictures, '|') AS pictures
    FROM product_listed
    UNION ALL
    SELECT
        product_id, seller_id, occurred_at, true, ifNull(name, ''), ifNull(category, ''), ifNull(description, ''),
        ifNull(group_id, ''), ifNull(sku, ''), if(condition = '', 'new', toString(condition)), toInt64(ifNull(handling_days, -1)),
        toString(currency), price_minor,
        arrayStringConcat(arrayMap(key -> concat(key, '=', attributes[key]), arraySort(mapKeys(attributes))), '|'),
        arrayStringConcat(pictures, '|')
    FROM product_changed
    UNION ALL
    SELECT product_id, seller_id, occurred_at, false, '', '', '', '', '', '', 0, '', 0, '', '' FROM product_delisted
)
GROUP BY product_id, seller_id
HAVING argMax(is_listed, (occurred_at, NOT is_listed))
