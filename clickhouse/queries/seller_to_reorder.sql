-- Products of a seller with few units left for what they sold since a moment, the first to be sold out first.
SELECT
    sold.product_id AS product_id,
    stock.available AS available,
    sold.units AS units
FROM
(
    SELECT product_id, sum(source.units) - sum(source.cancelled_units) AS units
    FROM sales_lines AS source
    WHERE seller_id = {seller_id:String}
        AND minute >= {since:DateTime('UTC')}
        AND minute < {until:DateTime('UTC')}
    GROUP BY product_id
    HAVING units > 0
) AS sold
-- A product whose stock is not known is left out.
INNER JOIN
(
    SELECT product_id, greatest(argMax(on_hand - reserved, version), 0) AS available
    FROM stock_changed
    WHERE seller_id = {seller_id:String}
        AND product_id IN (
            SELECT product_id FROM sales_lines
            WHERE seller_id = {seller_id:String}
                AND minute >= {since:DateTime('UTC')}
                AND minute < {until:DateTime('UTC')}
        )
    GROUP BY product_id
) AS stock ON stock.product_id = sold.product_id
WHERE stock.available * {days:UInt32} < sold.units * {supply_days:UInt32}
    -- Nor is a product listed that the seller no longer offers.
    AND sold.product_id NOT IN (
        SELECT product_id
        FROM
        (
            SELECT product_id, occurred_at, 0 AS is_on_offer FROM product_delisted WHERE seller_id = {seller_id:String}
            UNION ALL
            SELECT product_id, occurred_at, 1 AS is_on_offer FROM product_listed
            WHERE seller_id = {seller_id:String}
                AND product_id IN (SELECT product_id FROM product_delisted WHERE seller_id = {seller_id:String})
            UNION ALL
            SELECT product_id, occurred_at, 1 AS is_on_offer FROM product_changed
            WHERE seller_id = {seller_id:String}
                AND product_id IN (SELECT product_id FROM product_delisted WHERE seller_id = {seller_id:String})
        )
        GROUP BY product_id
        HAVING argMax(is_on_offer, (occurred_at, is_on_offer)) = 0
    )
ORDER BY stock.available / sold.units, sold.product_id
LIMIT {limit:UInt32}
