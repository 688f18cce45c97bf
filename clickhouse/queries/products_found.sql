-- One page of the products on offer whose name or category contains every word of a search, in the order of `sort`.
SELECT product_id, offers, rank, sort_key, found
FROM
(
    -- A product matches if one of its offers does. Its price, for sorting, is the lowest of its offers.
    SELECT
        product_id,
        arraySort(groupArray((seller_id, name, category, price_minor))) AS offers,
        minIf(offer_rank, matches) AS rank,
        multiIf(
            {sort:String} = 'cheapest', min(price_minor),
            {sort:String} = 'dearest', -min(price_minor),
            -- A popular product has a key of its own. The id '' is nobody's: transform needs at least one.
            transform(
                product_id,
                arrayConcat([''], {popular_ids:Array(String)}),
                arrayConcat([toInt64(0)], {popular_keys:Array(Int64)}),
                -max(toUnixTimestamp64Milli(occurred_at))
            )
        ) AS sort_key,
        count() OVER () AS found
    FROM
    (
        SELECT
            product_id,
            seller_id,
            name,
            category,
            price_minor,
            occurred_at,
            if(
                empty({words:Array(String)}),
                '',
                arrayMap({fold}, [arrayStringConcat(['', name, replaceAll(category, '_', ' ')], ' ')])[1]
            ) AS plain,
            arrayMap({fold}, {words:Array(String)}) AS folded,
            multiIf(
                {sort:String} != 'best' OR empty(folded), 0,
                startsWith(plain, concat(' ', folded[1])), 0,
                position(plain, concat(' ', folded[1])) > 0, 1,
                2
            ) AS offer_rank,
            ({category:String} = '' OR ifNull(category, '') = {category:String})
                AND arrayAll(word -> position(plain, word) > 0, folded) AS matches
        FROM
        (
            SELECT *
            FROM
            (
                SELECT product_id, occurred_at, seller_id, name, category, currency, price_minor, true AS on_offer
                FROM product_listed
                UNION ALL
                SELECT product_id, occurred_at, seller_id, name, category, currency, price_minor, true
                FROM product_changed
                UNION ALL
                SELECT product_id, occurred_at, seller_id, NULL, NULL, '', 0, false
                FROM product_delisted
            )
            ORDER BY product_id, seller_id, occurred_at DESC
            LIMIT 1 BY product_id, seller_id
        )
        WHERE on_offer
            AND currency = {currency:String}
    )
    GROUP BY product_id
    HAVING countIf(matches) > 0
)
WHERE (rank, sort_key, product_id) > ({after_rank:Int64}, {after_key:Int64}, {after_id:String})
    AND (rank, sort_key, product_id) <= ({until_rank:Int64}, {until_key:Int64}, {until_id:String})
ORDER BY rank, sort_key, product_id
LIMIT {limit:UInt32}
