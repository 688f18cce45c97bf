-- Each seller's newest listing of a product, and whether the seller still offers it. No row if it was never listed, or is blocked.
SELECT
    listings.seller_id AS seller_id,
    listings.name AS name,
    listings.category AS category,
    listings.currency AS currency,
    listings.price_minor AS price_minor,
    listings.description AS description,
    listings.group_id AS group_id,
    listings.attributes AS attributes,
    listings.pictures AS pictures,
    listings.condition AS condition,
    listings.handling_days AS handling_days,
    ifNull(listings.occurred_at >= delistings.delisted_at, true) AS on_offer
FROM
(
    SELECT *
    FROM
    (
        SELECT
            occurred_at, seller_id, name, category, currency, price_minor,
            description, group_id, attributes, pictures, condition, handling_days
        FROM product_listed
        WHERE product_id = {product_id:String}
        UNION ALL
        SELECT
            occurred_at, seller_id, name, category, currency, price_minor,
            description, group_id, attributes, pictures, condition, handling_days
        FROM product_changed
        WHERE product_id = {product_id:String}
    )
    ORDER BY seller_id, occurred_at DESC
    LIMIT 1 BY seller_id
) AS listings
LEFT JOIN
(
    SELECT seller_id, max(occurred_at) AS delisted_at, argMax(reason, occurred_at) AS delisted_for
    FROM product_delisted
    WHERE product_id = {product_id:String}
    GROUP BY seller_id
) AS delistings ON delistings.seller_id = listings.seller_id
WHERE on_offer OR delistings.delisted_for != 'policy_violation'
ORDER BY seller_id
