CREATE OR REPLACE VIEW {view}
(
    seller_id String COMMENT 'Who offers it.',
    product_id String COMMENT 'The product.',
    name Nullable(String) COMMENT 'Title that shoppers read.',
    category Nullable(String) COMMENT 'Category of the catalogue.',
    currency LowCardinality(String) COMMENT 'ISO 4217 code of the amounts of the row.',
    price Decimal(38, 4) COMMENT 'Price of one unit.',
    is_on_offer Bool COMMENT 'Whether the seller still offers it.',
    listed_at DateTime64(3, 'UTC') COMMENT 'When the seller offered it first, UTC.',
    changed_at DateTime64(3, 'UTC') COMMENT 'When the offer changed last, UTC.',
    delisted_at Nullable(DateTime64(3, 'UTC')) COMMENT 'When the seller took it off last, UTC.',
    units_on_hand Nullable(Int32) COMMENT 'Units in the hands of the seller; NULL if no stock was reported.',
    units_available Nullable(Int32) COMMENT 'Of them, units that are not held for orders.',
    weight_g Nullable(Int32) COMMENT 'Weight in grams, packed.',
    length_cm Nullable(Int32) COMMENT 'Length in centimetres, packed.',
    height_cm Nullable(Int32) COMMENT 'Height in centimetres, packed.',
    width_cm Nullable(Int32) COMMENT 'Width in centimetres, packed.',
    photos Nullable(Int32) COMMENT 'Number of photos.'
)
AS
WITH {minor_units} AS minor_units
SELECT
    offer.seller_id AS seller_id,
    offer.product_id AS product_id,
    offer.latest.1 AS name,
    offer.latest.2 AS category,
    offer.latest.3 AS currency,
    toDecimal128(offer.latest.4, 4) / minor_units AS price,
    CAST(ifNull(offer.changed_at >= delisting.delisted_at, true), 'Bool') AS is_on_offer,
    offer.listed_at AS listed_at,
    offer.changed_at AS changed_at,
    delisting.delisted_at AS delisted_at,
    stock.on_hand AS units_on_hand,
    stock.available AS units_available,
    offer.latest.5 AS weight_g,
    offer.latest.6 AS length_cm,
    offer.latest.7 AS height_cm,
    offer.latest.8 AS width_cm,
    offer.latest.9 AS photos
FROM
(
    SELECT
        seller_id,
        product_id,
        min(at) AS listed_at,
        max(at) AS changed_at,
        argMax((name, category, toString(currency), price_minor, weight_g, length_cm, height_cm, width_cm, photos), at) AS latest
    FROM
    (
        SELECT
            seller_id, product_id, occurred_at AS at, name, category, currency, price_minor, weight_g, length_cm, height_cm,
            width_cm, photos
        FROM {facts}.product_listed FINAL
        UNION ALL
        SELECT
            seller_id, product_id, occurred_at, name, category, currency, price_minor, weight_g, length_cm, height_cm, width_cm,
            photos
        FROM {facts}.product_changed FINAL
    )
    GROUP BY seller_id, product_id
) AS offer
LEFT JOIN
(
    SELECT seller_id, product_id, toNullable(max(occurred_at)) AS delisted_at
    FROM {facts}.product_delisted FINAL
    GROUP BY seller_id, product_id
) AS delisting ON delisting.seller_id = offer.seller_id AND delisting.product_id = offer.product_id
LEFT JOIN
(
    SELECT
        seller_id,
        product_id,
        toNullable(argMax(stock_changed.on_hand, version)) AS on_hand,
        toNullable(argMax(stock_changed.on_hand - reserved, version)) AS available
    FROM {facts}.stock_changed FINAL
    GROUP BY seller_id, product_id
) AS stock ON stock.seller_id = offer.seller_id AND stock.product_id = offer.product_id
COMMENT 'The offers: each product of each seller as it is now, with its stock.'
