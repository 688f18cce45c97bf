-- The number of products on offer at the end of a period, and the visits in it that viewed them.
WITH
    -- The newest listing, change or delisting of each offer before the end of the period.
    newest AS
    (
        SELECT product_id, seller_id, category, currency, price_minor, is_listed
        FROM
        (
            SELECT product_id, seller_id, occurred_at, event_id, ifNull(category, '') AS category, currency, price_minor, true AS is_listed
            FROM product_listed
            WHERE occurred_at < {period_end:DateTime64(3, 'UTC')}
            UNION ALL
            SELECT product_id, seller_id, occurred_at, event_id, ifNull(category, ''), currency, price_minor, true
            FROM product_changed
            WHERE occurred_at < {period_end:DateTime64(3, 'UTC')}
            UNION ALL
            SELECT product_id, seller_id, occurred_at, event_id, '', '', 0, false
            FROM product_delisted
            WHERE occurred_at < {period_end:DateTime64(3, 'UTC')}
        )
        ORDER BY product_id, seller_id, occurred_at DESC, event_id DESC
        LIMIT 1 BY product_id, seller_id
    ),
    offers AS
    (
        SELECT product_id, seller_id, category, price_minor
        FROM newest
        WHERE is_listed AND currency = {currency:String}
    )
SELECT
    (SELECT uniqExact(product_id) FROM offers) AS products,
    (
        SELECT sum(visits)
        FROM
        (
            SELECT product_id, uniqExact(session_id) AS visits
            FROM product_viewed
            WHERE occurred_at >= {period_start:DateTime64(3, 'UTC')} AND occurred_at < {period_end:DateTime64(3, 'UTC')}
                AND product_id IN (SELECT product_id FROM offers)
            GROUP BY product_id
        )
    ) AS visits
