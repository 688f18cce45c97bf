-- The newest event of every listing, and the newest contents.
SELECT
    product_id,
    seller_id,
    toInt64(argMax(is_listed, (occurred_at, NOT is_listed))) AS on_offer,
    toUnixTimestamp64Milli(max(occurred_at)) AS changed_ms,
    argMaxIf(name, occurred_at, is_listed) AS name,
    argMaxIf(category, occurred_at, is_listed) AS category,
    argMaxIf(description, occurred_at, is_listed) AS description,
    argMaxIf(group_id, occurred_at, is_listed) AS group_id,
    argMaxIf(sku, occurred_at, is_listed) AS sku,
    argMaxIf(condition, occurred_at, is_listed) AS condition,
    argMaxIf(handling_days, occurred_at, is_listed) AS handling_days,
    argMaxIf(currency, occurred_at, is_listed) AS currency,
    argMaxIf(price_minor, occurred_at, is_listed) AS price_minor,
    argMaxIf(attributes, occurred_at, is_listed) AS attributes,
    argMaxIf(pictures, occurred_at, is_listed) AS pictures
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
