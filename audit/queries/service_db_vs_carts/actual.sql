-- The newest quantity of each product in each cart of this shop, whose ids begin so; other shops tell of their carts, too. Those that
-- nobody has changed for a month may be deleted without an event.
WITH recent AS
(
    SELECT cart_id FROM cart_changed
    WHERE startsWith(cart_id, 'souk-cart-') AND occurred_at > now() - INTERVAL 29 DAY
)
SELECT
    cart_id,
    product_id,
    argMax(cart_changed.seller_id, occurred_at) AS seller_id,
    argMax(cart_changed.quantity, occurred_at) AS quantity
FROM cart_changed
WHERE cart_id IN (SELECT cart_id FROM recent)
GROUP BY cart_id, product_id
HAVING quantity > 0
