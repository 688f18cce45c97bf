-- How many visits looked at a seller's offers since a moment, and since a later one.
SELECT
    uniqExact(session_id) AS longer,
    uniqExactIf(session_id, minute >= {shorter_since:DateTime('UTC')}) AS shorter
FROM product_views
WHERE seller_id = {seller_id:String} AND minute >= {longer_since:DateTime('UTC')}
