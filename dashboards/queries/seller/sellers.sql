-- The values of the variable `seller_id`: id and name, best-selling first.
SELECT
    seller_id,
    if(empty(ifNull(name, '')), seller_id, assumeNotNull(name)) AS label
FROM q_sellers(currency = {currency:String}, asked = '', limit = 500)
