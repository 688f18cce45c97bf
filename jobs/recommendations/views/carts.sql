-- When a product was put into a cart or taken out of it altogether: Unix seconds to the millisecond, and half a
-- millisecond more where it was taken out. Redis keeps the latest moment of all, so neither order nor repeats matter.
SELECT session_id, shopper_id, product_id,
  unix_s(occurred_at) + 0.001 * EXTRACT(MILLISECOND FROM occurred_at)
    + CASE WHEN quantity = 0 THEN 0.0005 ELSE 0.0000 END AS changed_s
FROM events.cart_changed
WHERE quantity > quantity_before OR quantity = 0
