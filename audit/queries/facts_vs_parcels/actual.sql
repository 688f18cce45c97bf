-- When each seller's newest parcel of an order left and arrived, as ClickHouse derives them.
SELECT
    order_id, seller_id,
    if(mapContains(shipped_by, seller_id), toString(shipped_by[seller_id]), NULL) AS shipped_at,
    if(mapContains(delivered_by, seller_id), toString(delivered_by[seller_id]), NULL) AS delivered_at
FROM order_state
ARRAY JOIN arrayDistinct(arrayConcat(mapKeys(shipped_by), mapKeys(delivered_by))) AS seller_id
