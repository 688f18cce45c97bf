-- Offers in a currency at a time: the newest listing or change of each, unless it was delisted since.
SELECT product_id, seller_id, category, price_minor
FROM
(
    SELECT product_id, seller_id, category, currency, price_minor, is_listed
    FROM
    (
        SELECT product_id, seller_id, occurred_at, event_id, ifNull(category, '') AS category, currency, price_minor, true AS is_listed
        FROM product_listed
        WHERE occurred_at < {at:DateTime64(3, 'UTC')}
        UNION ALL
        SELECT product_id, seller_id, occurred_at, event_id, ifNull(category, ''), currency, price_minor, true
        FROM product_changed
        WHERE occurred_at < {at:DateTime64(3, 'UTC')}
        UNION ALL
        SELECT product_id, seller_id, occurred_at, event_id, '', '', 0, false
        FROM product_delisted
        WHERE occurred_at < {at:DateTime64(3, 'UTC')}
    )
    ORDER BY product_id, seller_id, occurred_at DESC, event_id DESC
    LIMIT 1 BY product_id, seller_id
)
WHERE is_listed AND currency = {currency:String}
