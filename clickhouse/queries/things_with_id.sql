-- What a text is the id of: an order, a refund, a return, a parcel or its tracking code, a product or a seller.
SELECT kind, id, any(order_id) AS order_id, toUnixTimestamp64Milli(max(occurred_at)) AS at_ms
FROM
(
    SELECT 'order' AS kind, order_id AS id, order_id, occurred_at FROM order_placed WHERE order_id = {id:String}
    UNION ALL
    SELECT 'refund', refund_id, order_id, occurred_at FROM payment_refunded WHERE refund_id = {id:String} OR payment_id = {id:String}
    UNION ALL
    SELECT 'return', return_id, order_id, occurred_at FROM order_returned WHERE return_id = {id:String}
    UNION ALL
    SELECT 'parcel', shipment_id, order_id, occurred_at FROM order_shipped WHERE shipment_id = {id:String} OR tracking_code = {id:String}
    UNION ALL
    SELECT 'product', product_id, '', occurred_at FROM product_listed WHERE product_id = {id:String}
    UNION ALL
    SELECT 'seller', seller_id, '', occurred_at FROM seller_registered WHERE seller_id = {id:String}
)
GROUP BY kind, id
ORDER BY kind, at_ms DESC, id
LIMIT 50
