-- The population stability index (PSI) of what is viewed since {changed_at:DateTime64(3, 'UTC')}, compared with the time before, by dimension.
-- PSI = sum over bins of (q - p) * ln(q / p), for the shares p before and q since. Half a view is added to each bin.
WITH
    -- What a visitor views counts once a day, for the first {daily:UInt64} products, so that no robot makes a drift.
    viewed AS
    (
        SELECT is_new, visitor, product_id, at
        FROM
        (
            SELECT
                occurred_at > {changed_at:DateTime64(3, 'UTC')} AS is_new,
                ifNull(shopper_id, session_id) AS visitor,
                product_id,
                min(occurred_at) AS at
            FROM product_viewed
            WHERE occurred_at >= {start:DateTime64(3, 'UTC')} AND occurred_at < {end:DateTime64(3, 'UTC')}
                -- Of very many views, those of a share of the visitors.
                AND cityHash64(visitor) % if(is_new, {share_since:UInt64}, {share_before:UInt64}) = 0
            GROUP BY is_new, visitor, product_id, toDate(occurred_at)
        )
        ORDER BY is_new, visitor, at, product_id
        LIMIT {daily:UInt64} BY is_new, visitor, toDate(at)
    ),
    products AS
    (
        SELECT
            product_id,
            ifNull(argMax(category, occurred_at), '') AS category,
            argMax((currency, price_minor), occurred_at) AS price,
            minIf(occurred_at, is_listing) AS listed_at
        FROM
        (
            SELECT product_id, category, currency, price_minor, occurred_at, true AS is_listing FROM product_listed
            UNION ALL
            SELECT product_id, category, currency, price_minor, occurred_at, false FROM product_changed
        )
        WHERE product_id IN (SELECT product_id FROM viewed)
        GROUP BY product_id
    ),
    -- The bins of each view. A price band is a doubling of the price. A product is new for some days after its listing.
    binned AS
    (
        SELECT
            viewed.is_new AS is_new,
            arrayJoin([
                ('products', viewed.product_id),
                ('categories', products.category),
                ('price_bands', concat(products.price.1, ' ', toString(floor(log2(1 + greatest(products.price.2, 0)))))),
                ('new_products', if(products.listed_at > viewed.at - toIntervalDay({new_days:UInt32}), 'new', 'old'))
            ]) AS bin
        FROM viewed
        LEFT JOIN products ON products.product_id = viewed.product_id
    ),
    counts AS
    (
        SELECT bin.1 AS dimension, bin.2 AS name, countIf(NOT is_new) AS before, countIf(is_new) AS since
        FROM binned
        GROUP BY bin
    ),
    -- The {bins:UInt64} bins with the most views before, and one bin of all others.
    merged AS
    (
        SELECT dimension, if(place <= {bins:UInt64}, name, '') AS bin, place <= {bins:UInt64} AS is_own, sum(before) AS p, sum(since) AS q
        FROM
        (
            SELECT *, row_number() OVER (PARTITION BY dimension ORDER BY before DESC, name) AS place FROM counts
        )
        GROUP BY dimension, bin, is_own
    ),
    totals AS
    (
        SELECT countIf(NOT is_new) AS views_before, countIf(is_new) AS views_since,
            uniqExactIf(visitor, NOT is_new) AS visitors_before, uniqExactIf(visitor, is_new) AS visitors_since
        FROM viewed
    )
SELECT
    dimension,
    arraySum((before, since) -> (since - before) * log(since / before), p_shares, q_shares) AS psi,
    views_before,
    views_since,
    visitors_before,
    visitors_since
FROM
(
    SELECT
        dimension,
        arrayMap(count -> (count + 0.5) / (arraySum(groupArray(p)) + 0.5 * length(groupArray(p))), groupArray(p)) AS p_shares,
        arrayMap(count -> (count + 0.5) / (arraySum(groupArray(q)) + 0.5 * length(groupArray(q))), groupArray(q)) AS q_shares
    FROM merged
    GROUP BY dimension
) AS shares
CROSS JOIN totals
ORDER BY dimension
