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
    SELECT product_id, argMax(level.available, level.version) AS available
    FROM stock_levels AS level
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
        SELECT product_id FROM offer_changes
        WHERE seller_id = {seller_id:String}
        GROUP BY product_id
        HAVING argMax(is_listed, (at, is_listed)) = 0
    )
ORDER BY stock.available / sold.units, sold.product_id
LIMIT {limit:UInt32}
