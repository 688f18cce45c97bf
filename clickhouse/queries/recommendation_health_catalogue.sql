-- The number of products on offer at the end of a period, and the visits in it that viewed them.
WITH
    offers AS
    (
        SELECT product_id, seller_id, category, price_minor
        FROM q_offers_at(at = {period_end:DateTime64(3, 'UTC')}, currency = {currency:String})
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
